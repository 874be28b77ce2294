import assert from "node:assert/strict";
import { test } from "node:test";
import { read, readSpan, type SimFlags } from "../../../cli/sim/flags.ts";

function tried(flags: SimFlags): { said: string; settings: ReturnType<typeof read> } {
  let said = "";
  const settings = read(flags, { out: () => {}, err: (text) => void (said += text), env: {} });
  return { said, settings };
}

test("sim cli: flags: what is asked for is what is drawn", () => {
  const { settings } = tried({
    profile: "chaos", fault: ["halfOpen=off", "crash=3", "jump"], nodes: "makers=5,dirs=2",
    lite: true, check: false, budgetEvents: "500", shard: "2/3", jobs: "1", format: "json",
  });
  assert.deepEqual(settings?.recipe, {
    profile: "chaos",
    adjust: {
      faults: [
        { kind: "halfOpen", rate: "off" }, { kind: "crash", rate: 3 }, { kind: "jump", rate: "on" },
      ],
      nodes: { makers: 5, dirs: 2 }, lite: true,
    },
  });
  assert.equal(settings.options.checks, false);
  assert.equal(settings.options.eventsMax, 500);
  assert.deepEqual(settings.shard, { at: 2, of: 3 });
  assert.deepEqual(settings.again, [
    "--profile", "chaos", "--fault", "halfOpen=off", "--fault", "crash=3", "--fault", "jump",
    "--nodes", "makers=5,dirs=2", "--lite", "--budget-events", "500",
  ]);
});

test("sim cli: flags: a page that is to be opened is drawn", () => {
  assert.equal(tried({ open: true }).settings?.pictures.html, true);
  assert.equal(tried({ open: true, html: "x.html" }).settings?.pictures.html, "x.html");
});

test("sim cli: flags: every problem is told, with flag, value and what is accepted", () => {
  const cases: [SimFlags, RegExp][] = [
    [{ profile: "odd" }, /--profile odd: expected smoke, std/],
    [{ fault: ["earthquake"] }, /--fault earthquake: expected one of cut, /],
    [{ fault: ["cut=maybe"] }, /--fault cut=maybe: expected on, off, or 0 to 10000 an hour/],
    [{ nodes: "makers" }, /--nodes makers: expected GROUP=0 to 10000/],
    [{ nodes: "dirs=0" }, /--nodes dirs=0: expected at least 1 directory/],
    [{ budgetEvents: "0" }, /--budget-events 0: expected a whole number from 1/],
    [{ shard: "3/2" }, /--shard 3\/2: expected i\/n/],
    [{ jobs: "many" }, /--jobs many: expected a whole number from 1 to 256/],
    [{ format: "xml" }, /--format xml: expected tty, json, junit, github/],
  ];
  for (const [flags, says] of cases) {
    const { said, settings } = tried(flags);
    assert.equal(settings, undefined);
    assert.match(said, says);
  }
  const { said } = tried({ profile: "odd", shard: "x", format: "y" });
  assert.equal(said.split("\n").length, 4);
});

test("sim cli: flags: spans have units", () => {
  const values = ["90", "90s", "10m", "2h", "1d"].map((text) => readSpan(text));
  assert.deepEqual(values.map((one) => one.ok && one.value), [
    90_000, 90_000, 600_000, 7_200_000, 86_400_000,
  ]);
  for (const bad of ["", "0", "1.5h", "10x", "-5"]) assert.equal(readSpan(bad).ok, false, bad);
});

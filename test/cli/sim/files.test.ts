import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { profiles } from "../../../cli/sim/engine.ts";
import { check, loadFile, pretty, writeKept } from "../../../cli/sim/files.ts";
import { seedText } from "../../../cli/sim/seeds.ts";
import { generate } from "../../../sim/generate.ts";
import { named } from "../../../sim/named.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { folder } from "../capture.ts";

const temp = folder();
after(temp.remove);

function drawn(): Scenario {
  return generate("chaos", seedText(3n));
}

/** A deep copy in which one place is something else. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(drawn())) as Record<string | number, unknown>;
  let at = copy;
  for (const part of path.slice(0, -1)) at = at[part] as Record<string | number, unknown>;
  at[path.at(-1) ?? ""] = value;
  return copy;
}

test("sim cli: files: whatever the generator draws is accepted, and so is what has a name", () => {
  for (const profile of profiles) {
    for (let seed = 0n; seed < 40n; seed += 1n) {
      const scenario = generate(profile, seedText(seed));
      const checked = check("drawn", JSON.parse(JSON.stringify(scenario)));
      assert.ok(checked.ok, checked.ok ? "" : checked.problems.join("\n"));
    }
  }
  for (const [name, { scenario }] of named()) {
    const checked = check(name, JSON.parse(JSON.stringify(scenario)));
    assert.ok(checked.ok, checked.ok ? "" : checked.problems.join("\n"));
  }
});

test("sim cli: files: a scenario comes back as it was written", () => {
  const file = join(temp.path, "deep", "kept.json");
  const scenario = drawn();
  writeKept(file, { kept: 1, note: "a \"note\"", scenario, original: scenario });
  const loaded = loadFile(file);
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.kept.scenario, JSON.parse(JSON.stringify(scenario)));
  assert.equal(loaded.kept.note, "a \"note\"");
  const bare = join(temp.path, "bare.json");
  writeFileSync(bare, pretty(scenario, ""));
  const again = loadFile(bare);
  assert.ok(again.ok);
  assert.deepEqual(again.kept.scenario, loaded.kept.scenario);
  for (const line of readFileSync(file, "utf8").split("\n")) assert.ok(line.length <= 100, line);
});

test("sim cli: files: a problem names file, place, value and what is accepted", () => {
  const cases: [readonly (string | number)[], unknown, RegExp][] = [
    [["simVersion"], 99, /^x\.json: simVersion = 99: this build runs version 1;/],
    [["seed"], "0x", /^x\.json: seed = "0x": expected 0x and up to 16 hex digits$/],
    [["seed"], `0x${"1".repeat(17)}`, /seed = "0x1{17}": expected 0x and up to 16 hex digits$/],
    [["nodes", 0, "kind"], "robot", /^x\.json: nodes\[0\]\.kind = "robot": expected one of the /],
    [["nodes", 0, "id"], "", /^x\.json: nodes\[0\]\.id = "": expected letters and digits/],
    [["faults", 0, "at"], -5, /^x\.json: faults\[0\]\.at = -5: expected at least 0$/],
    [["faults", 0, "at"], 1.5, /^x\.json: faults\[0\]\.at = 1\.5: expected a whole number$/],
    [["faults", 0, "kind"], "flood", /^x\.json: faults\[0\]\.kind = "flood": expected one of the/],
    [["faults", 0, "zap"], 1, /^x\.json: faults\[0\]: unknown field "zap"$/],
    [["net", "segment"], "odd", /^x\.json: net\.segment = "odd": expected "whole", "split"/],
    [["phases"], undefined, /^x\.json: phases: missing; expected an object$/],
    [["net", "latencyMinUs"], "fast", /^x\.json: net\.latencyMinUs = "fast": expected a whole/],
    [["phases", "faultyMs"], 1e12, /^x\.json: phases\.faultyMs = 1000000000000: expected at most/],
    [["workload", 0, "op"], "sing", /^x\.json: workload\[0\]\.op = "sing": expected one of the/],
  ];
  for (const [path, value, says] of cases) {
    const checked = check("x.json", changed(path, value));
    assert.ok(!checked.ok, path.join("."));
    assert.match(checked.problems.join("\n"), says);
  }
});

test("sim cli: files: a seed may be short, and has 16 digits once it is read", () => {
  for (const [seed, read] of [["0x1", 1n], ["0xAb", 0xabn], [seedText(7n), 7n]] as const) {
    const checked = check("x.json", changed(["seed"], seed));
    assert.ok(checked.ok);
    assert.equal(checked.kept.scenario.seed, seedText(read));
  }
});

test("sim cli: files: ids are told apart", () => {
  const scenario = drawn();
  const [first] = scenario.faults;
  const twice = check("x.json", { ...scenario, faults: [first, first] });
  assert.ok(!twice.ok);
  assert.match(twice.problems.join(), /entries of workload, faults and triggers have ids/);
  const [node] = scenario.nodes;
  const nodes = check("x.json", { ...scenario, nodes: [node, node] });
  assert.ok(!nodes.ok);
  assert.match(nodes.problems.join(), /nodes = .*: each node has an id of its own/);
});

test("sim cli: files: what is no scenario is told in a few lines", () => {
  const junk = join(temp.path, "junk.json");
  for (const text of ["", "[1, 2", "[]", "null", "{\"kept\": 2}", "7", "\u001b[31m"]) {
    writeFileSync(junk, text);
    const loaded = loadFile(junk);
    assert.ok(!loaded.ok, text);
    assert.ok(loaded.problems.length <= 11);
    assert.ok(loaded.problems.every((says) => says.startsWith(junk) && !says.includes("\u001b")));
  }
  assert.ok(!loadFile(join(temp.path, "none.json")).ok);
  const faults = Array.from({ length: 50 }, (_, id) => ({ id, at: -1, kind: "reset" }));
  const many = check("x.json", { ...drawn(), faults });
  assert.ok(!many.ok);
  assert.equal(many.problems.length, 11);
});

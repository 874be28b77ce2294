import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as outages from "../../../core/ark/outages.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as rig from "../../support/ark-fleet.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const { defaults: config, defaults: { gatherMs } } = outages;
const servers = ["s", "s", "s", "s", "lone", "", ""];

type Rig = { readonly m: outages.Outages; now: number };
const start = (): Rig => ({ m: outages.create(config, servers), now: 1_000 });
const from = mono(500);

function say(r: Rig, event: outages.Event): readonly outages.Effect[] {
  const out: outages.Effect[] = [];
  outages.step(r.m, event, mono(r.now), out);
  return out;
}
const away = (wallet: string, server = "s"): outages.Event => (
  { type: "away", server, wallet, why: "server-down", since: from }
);
const back = (wallet: string, server = "s"): outages.Event => ({ type: "back", server, wallet });

test("ark outages: many that miss one server are told once, and its return once", () => {
  const r = start();
  for (const wallet of ["a", "b", "c"]) assert.deepEqual(say(r, away(wallet)), []);
  assert.equal(outages.deadline(r.m), r.now + gatherMs);
  r.now += gatherMs - 1;
  assert.deepEqual(say(r, { type: "tick" }), []);
  r.now += 1;
  assert.deepEqual(say(r, { type: "tick" }), [
    { type: "down", server: "s", wallet: "a", count: 3, total: 4, why: "server-down" },
  ]);
  assert.deepEqual([say(r, away("d")), outages.deadline(r.m)], [[], NEVER]);
  for (const wallet of ["a", "b", "d"]) assert.deepEqual(say(r, back(wallet)), []);
  assert.deepEqual(say(r, back("c")), [{ type: "up", server: "s", awayMs: r.now - 500 }]);
  assert.deepEqual(say(r, back("c")), []);
});

test("ark outages: what is over before it was told is not told; nor is it at the end", () => {
  const r = start();
  say(r, away("a"));
  assert.deepEqual(say(r, back("a")), []);
  assert.equal(outages.deadline(r.m), NEVER);
  say(r, away("a"));
  say(r, { type: "stopped" });
  assert.equal(outages.deadline(r.m), NEVER);
});

test("ark outages: one that was told of few is told again when it is that of most", () => {
  const r = start();
  say(r, away("a"));
  r.now += gatherMs;
  const [few] = say(r, { type: "tick" });
  assert.equal(few?.type === "down" && few.count, 1);
  say(r, away("b"));
  assert.equal(outages.deadline(r.m), NEVER, "half of them are not most");
  say(r, away("c"));
  r.now += gatherMs;
  const [most] = say(r, { type: "tick" });
  assert.equal(most?.type === "down" && most.count, 3);
});

test("ark outages: a server of one wallet, or of an unknown name, is not shared", () => {
  const r = start();
  for (const server of ["lone", "", "other"]) {
    assert.ok(!outages.isShared(r.m, server));
    say(r, away("a", server));
  }
  assert.equal(outages.deadline(r.m), NEVER);
  assert.ok(outages.isShared(r.m, "s"));
});

test("ark outages: laws: it is told within the time, and at most twice an outage", () => {
  const subject: Subject<outages.Outages, outages.Event, outages.Effect> = {
    create: () => outages.create(config, servers), step: outages.step,
    deadline: outages.deadline, tick: { type: "tick" }, settleMs: 2 * gatherMs,
    startAt: 1_000,
    lives: (run) => {
      const out = effectsOf(run);
      let open = 0;
      for (const { effect } of out) {
        open = effect.type === "up" ? 0 : open + 1;
        assert.ok(open <= 2);
      }
      const isOpen = [...run.state.open.values()].some(({ wallets }) => wallets.size > 0);
      if (isOpen) assert.equal(out.at(-1)?.effect.type, "down");
    },
  };
  const event = fc.constantFrom("a", "b", "c", "d").chain((wallet) => (
    fc.constantFrom(away(wallet), back(wallet))
  ));
  fc.assert(fc.property(scripts(event, 50_000), (s) => void laws(subject, s)), { numRuns: 80 });
});

const { minute } = rig;
const names = Array.from({ length: 8 }, (_, i) => `w${i}`);

test("ark outages: one server that is down is one notice for all its wallets", () => {
  const r = rig.start({ wallets: names });
  rig.pass(r, 5 * minute);
  const fromMs = rig.wallMs(r);
  const untilMs = fromMs + 20 * minute;
  rig.suffer(r, [{ on: "server", fault: { kind: "down" }, fromMs, untilMs }]);
  rig.pass(r, 20 * minute);
  for (const name of names) assert.ok(rig.troubles(r, name).includes("server-down"), name);
  assert.equal(rig.told(r, "Shared Ark server away"), 1);
  assert.equal(rig.told(r, "Wallet program away"), 0, "who starts late is not away");
  assert.equal(rig.told(r, "does not answer 8 wallets of the 8"), 1);
  rig.pass(r, 10 * minute);
  assert.equal(rig.told(r, "Shared Ark server back"), 1);
});

test("ark outages: a wallet that is alone at its server is told of by its name", () => {
  const r = rig.start({ wallets: ["alice"] });
  rig.pass(r, 5 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "server", fault: { kind: "down" }, fromMs, untilMs: Number.MAX_SAFE_INTEGER,
  }]);
  rig.pass(r, 10 * minute);
  assert.equal(rig.told(r, "alice: ark server does not answer"), 1);
});

test("ark news: failures are forgotten with the program's return, not half a minute later", () => {
  const r = rig.start();
  rig.pass(r, 5 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "barkd", fault: { kind: "refusing" }, fromMs, untilMs: fromMs + 3 * minute,
  }]);
  rig.pass(r, 2 * minute);
  const news = () => rig.one(r).lanes.find(({ lane }) => lane === "news")!;
  assert.ok(news().failures > 0);
  rig.until(r, () => rig.one(r).facts[0]!.state === "up", 5 * minute, 100);
  assert.deepEqual([news().failures, news().why], [0, null]);
});

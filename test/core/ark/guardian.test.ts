import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as guardian from "../../../core/ark/guardian.ts";
import { plan } from "../../../core/ark/plan.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import {
  config, die, land, live, min, openIntents, pass, send, serve, vtxo, world, type World,
} from "../../support/ark-guard.ts";

const hour = 60 * min;
const kindsOf = (w: World) => w.told.map(({ notice }) => notice.kind);
const opsOf = (w: World) => w.asked.map(({ op }) => op.op);

test("ark: guardian: what is due is refreshed in time, and nobody is woken", () => {
  const w = world([vtxo("a:0"), vtxo("b:0", { expiryHeight: 1_105 })]);
  live(w, 12 * hour);
  assert.deepEqual(w.violations, []);
  assert.deepEqual([...w.vtxos.keys()].length, 1);
  assert.deepEqual(opsOf(w), ["refresh"]);
  assert.deepEqual(kindsOf(w), ["ark-expiry"]);
  assert.deepEqual(w.m.drive.book.counts, { success: 1, rejected: 0, superseded: 0 });
});

test("ark: guardian: while the server is down alarms grow, the coin leaves, is claimed", () => {
  const w = world([vtxo("a:0")]);
  w.isServerUp = false;
  live(w, 20 * hour);
  assert.deepEqual(w.violations, []);
  const stages = w.told.flatMap(({ notice }) => notice.kind === "ark-expiry" ? [notice.stage] : []);
  assert.deepEqual([...new Set(stages)], ["due", "failing", "exit-now"]);
  for (const kind of ["ark-exit-started", "ark-exit-claimed", "ark-expiry-over"] as const) {
    assert.equal(kindsOf(w).filter((one) => one === kind).length, 1, kind);
  }
  assert.equal(w.exits.get("a:0")?.state, "claimed");
  assert.equal(openIntents(w).size, 0);
});

test("ark: guardian: an exit in a state that is not known keeps no deadline quiet", () => {
  for (const [state, stages] of [
    ["unknown", ["due", "failing", "exit-now", "expired"]], ["processing", ["expired"]],
  ] as const) {
    const w = world([vtxo("a:0", { state: "exited" })]);
    w.exits.set("a:0", { state, at: 1_000_000 });
    live(w, 17 * hour);
    const told = w.told.flatMap(({ notice: n }) => (n.kind === "ark-expiry" ? [n.stage] : []));
    assert.deepEqual([...new Set(told)], stages);
    assert.deepEqual(opsOf(w), []);
  }
});

test("ark: guardian: a call that was held up is sent only if it still may be", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_050 })]);
  const isHeld = () => w.calls[0]?.op.op === "refresh";
  for (let i = 0; i < 200 && !isHeld(); i += 1) {
    while (w.flying.length > 0) land(w);
    if (!isHeld()) serve(w, "well");
    if (w.calls.length === 0) pass(w, min);
  }
  const [call] = w.calls;
  assert.equal(call?.op.op, "refresh");
  const token = call?.token ?? 0;
  const { sightMs } = config;
  const seenAt = w.m.exitsFrom ?? mono(0);
  assert.ok(guardian.mayStill(w.m, token, w.now));
  assert.ok(!guardian.mayStill(w.m, token, mono(seenAt + sightMs + 1)), "not seen just now");
  w.exits.set("a:0", { state: "start", at: w.height });
  w.calls = w.calls.slice(1);
  live(w, 5 * min);
  assert.ok(!guardian.mayStill(w.m, token, w.now), "it leaves for the chain");
  assert.ok(guardian.mayStill(w.m, 999_999, w.now), "a look");
});

test("ark: guardian: nothing is done by what another wallet shows, until it is trusted", () => {
  const w = world([vtxo("a:0")]);
  send(w, { type: "identified", fingerprint: "aa" });
  send(w, { type: "identified", fingerprint: "bb" });
  const exchanged = () => kindsOf(w).filter((kind) => kind === "ark-exchanged").length;
  live(w, 10 * hour);
  assert.deepEqual([opsOf(w), exchanged()], [[], 1]);
  assert.equal(plan(w.m, w.now).rows[0]?.blocked, "another-wallet");
  // Also the next process knows which one it was, and waits to hear which one answers.
  die(w, 9, false);
  live(w, hour);
  assert.deepEqual(opsOf(w), []);
  send(w, { type: "identified", fingerprint: "bb" });
  live(w, hour);
  assert.deepEqual([opsOf(w), exchanged()], [[], 2]);
  const looked = { wallet: "cc", server: undefined };
  send(w, { type: "trusted", looked });
  live(w, min);
  assert.deepEqual(opsOf(w), [], "it was another one that the operator has looked at");
  send(w, { type: "trusted", looked: { ...looked, wallet: "bb" } });
  live(w, 30 * min);
  assert.deepEqual(opsOf(w), ["refresh"]);
  die(w, 9, false);
  send(w, { type: "identified", fingerprint: "bb" });
  assert.equal(exchanged(), 2);
});

test("ark: guardian: an intent is not settled by the emptiness of another wallet", () => {
  const w = world([vtxo("a:0")]);
  send(w, { type: "identified", fingerprint: "aa" });
  for (let i = 0; i < 600 && w.pending.length === 0; i += 1) live(w, min);
  assert.equal(openIntents(w).size, 1);
  const [mine] = w.vtxos.values();
  w.vtxos.clear();
  send(w, { type: "identified", fingerprint: "bb" });
  live(w, 5 * min);
  assert.equal(openIntents(w).size, 1);
  if (mine !== undefined) w.vtxos.set(mine.id, mine);
  send(w, { type: "identified", fingerprint: "aa" });
  live(w, hour);
  assert.equal(w.m.drive.book.counts.success, 1);
});

test("ark: guardian: that nothing is seen is told once in time, and that it is again", () => {
  const w = world([vtxo("a:0", { expiryHeight: 9_000 })]);
  live(w, 10 * min);
  w.isWalletUp = false;
  live(w, 14 * min);
  assert.deepEqual(kindsOf(w), []);
  live(w, 2 * hour);
  assert.deepEqual(kindsOf(w), ["ark-unseen"]);
  w.isWalletUp = true;
  live(w, 5 * min);
  assert.deepEqual(kindsOf(w), ["ark-unseen", "ark-seen"]);
});

test("ark: guardian: without leave nothing exits, and the operator is told what to do", () => {
  const shepherd = { ...config.shepherd, autoExit: false };
  const w = world([vtxo("a:0")], { ...config, shepherd });
  w.isServerUp = false;
  live(w, 14 * hour);
  assert.ok(!opsOf(w).includes("exit"));
  const needed = w.told.filter(({ notice }) => notice.kind === "ark-exit-needed");
  assert.equal(needed.length, 1);
  assert.ok(w.m.expiry.coins.get("a:0")?.stage === "exit-now");
  // Refreshes go on to the end.
  w.isServerUp = true;
  live(w, 3 * hour);
  assert.ok(!w.vtxos.has("a:0"));
  assert.deepEqual(w.violations, []);
});

test("ark: guardian: what cannot be paid does not exit, and is still refreshed", () => {
  const w = world([vtxo("a:0")]);
  w.isServerUp = false;
  w.isFundable = false;
  live(w, 14 * hour);
  assert.ok(!opsOf(w).includes("exit"));
  assert.ok(kindsOf(w).includes("ark-exit-unfundable"));
  w.isServerUp = true;
  live(w, 3 * hour);
  assert.ok(!w.vtxos.has("a:0"));
  assert.deepEqual(w.violations, []);
});

test("ark: guardian: a forged height starts no exit, and is told at once", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_500 })]);
  live(w, hour);
  w.source = "giant";
  live(w, 20 * min);
  assert.deepEqual(kindsOf(w), ["ark-tip-doubted"]);
  w.source = "true";
  live(w, hour);
  assert.deepEqual(opsOf(w), []);
  assert.equal(w.m.expiry.coins.get("a:0")?.stage, "fine");
});

test("ark: guardian: an exit that the operator began is never refreshed", () => {
  const w = world([vtxo("a:0"), vtxo("b:0")]);
  w.exits.set("a:0", { state: "start", at: w.height });
  live(w, 10 * hour);
  assert.deepEqual(w.violations, []);
  for (const { op } of w.asked) {
    if (op.op === "refresh") assert.deepEqual(op.vtxos, ["b:0"]);
  }
  assert.ok(opsOf(w).includes("refresh"));
});

test("ark: guardian: of a rejected batch all but the bad one are refreshed", () => {
  for (const expiryHeight of [1_100, 1_101]) {
    const ids = ["a:0", "b:0", "c:0", "d:0"];
    const w = world(ids.map((id) => vtxo(id, { expiryHeight })));
    w.bad.add("c:0");
    live(w, 10 * hour);
    assert.deepEqual(w.violations, []);
    assert.deepEqual(ids.filter((id) => w.vtxos.has(id)), ["c:0"]);
    assert.ok(kindsOf(w).includes("ark-refresh-rejected"));
    assert.ok(w.asked.length <= 8, `${w.asked.length}`);
  }
});

test("ark: guardian: no call, no record before the journal was read; notices do not wait", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_020 })]);
  w.m = guardian.create(config, prng.key("closed"), w.now);
  w.calls = [];
  live(w, hour);
  assert.deepEqual(w.asked, []);
  assert.ok(kindsOf(w).includes("ark-expiry"));
});

test("ark: guardian: once it stops nothing is begun, and late answers count", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_050 })]);
  for (let i = 0; i < 200 && w.asked.length === 0; i += 1) {
    land(w);
    serve(w, "well");
    pass(w, min / 2);
  }
  assert.equal(w.asked.length, 1);
  send(w, { type: "stopping" });
  assert.ok(!guardian.isQuiet(w.m));
  live(w, hour);
  assert.ok(guardian.isQuiet(w.m));
  assert.deepEqual(w.calls, []);
  assert.ok(w.durable.some((body) => body.includes("ark-intent-sent")));
});

test("ark: guardian: a nudge brings the next look forward", () => {
  const w = world([]);
  live(w, 10 * min);
  const before = guardian.deadline(w.m);
  send(w, { type: "nudged" });
  assert.ok(w.calls.length === 1 && before > w.now);
  send(w, { type: "nudged" });
  while (w.calls.length > 0) serve(w, "well");
  assert.equal(guardian.deadline(w.m), w.now + 1);
});

test("ark: guardian: what was believed of the chain outlives the process", () => {
  const w = world([vtxo("a:0")]);
  live(w, 2 * hour);
  assert.ok(w.durable.some((body) => body.includes("ark-tip")));
  w.source = "down";
  die(w, 9, false);
  // Nobody says a height any more, and the alarm comes all the same.
  live(w, 9 * hour);
  assert.ok(w.told.some(({ notice }) => notice.kind === "ark-expiry" && notice.isEstimate));
});

type Act = { readonly do: string; readonly n: number };

function act(w: World, one: Act): void {
  switch (one.do) {
    case "serve": return serve(w, "well", one.n);
    case "lose": return serve(w, one.n % 2 === 0 ? "lost-before" : "lost-after", one.n);
    case "busy": return serve(w, "busy", one.n);
    case "land": return land(w);
    case "refuse": return land(w, false);
    case "die": return die(w, one.n % 4, one.n % 3 === 0);
    case "live": return live(w, one.n * 10 * min);
    case "pass": return pass(w, one.n * min);
    case "server":
      w.isServerUp = one.n % 2 === 0;
      return;
    case "wallet":
      w.isWalletUp = one.n % 2 === 0;
      return;
    case "funds":
      w.isFundable = one.n % 2 === 0;
      return;
    case "source":
      w.frozen = w.height;
      w.source = (["true", "true", "frozen", "down", "low", "giant"] as const)[one.n % 6] ?? "true";
      return;
    case "losses":
      w.losses = one.n;
      return;
    case "stale": {
      w.frozen = w.height;
      w.source = one.n % 2 === 0 ? "frozen" : "down";
      live(w, one.n * hour / 2);
      w.source = "true";
      return;
    }
    case "operator": {
      const id = [...w.vtxos.keys()][one.n % (w.vtxos.size || 1)];
      if (id === undefined || w.pending.some((p) => p.vtxos.includes(id))) return;
      if (!w.exits.has(id)) w.exits.set(id, { state: "start", at: w.height });
      return;
    }
    default: assert.fail(one.do);
  }
}

const acts = fc.record({
  do: fc.constantFrom(
    "serve", "serve", "serve", "land", "land", "lose", "busy", "refuse", "die", "live", "live",
    "pass", "losses", "server", "wallet", "funds", "source", "stale", "operator",
  ),
  n: fc.integer({ min: 0, max: 12 }),
});

const coins = fc.array(fc.record({
  expiryHeight: fc.integer({ min: 1_030, max: 1_160 }), exitDepth: fc.integer({ min: 0, max: 5 }),
  amountSat: fc.constantFrom(100n, 9_000n, 100_000n, 5_000_000n),
}), { minLength: 1, maxLength: 6 });

test("ark: guardian: a wall clock that is set has the height written down by the new one", () => {
  for (const jumpMs of [365 * 24 * hour, -365 * 24 * hour]) {
    const w = world([vtxo("a:0", { expiryHeight: 2_000 })]);
    live(w, 2 * hour);
    const before = w.durable.length;
    w.source = "frozen";
    w.frozen = w.height;
    live(w, 2 * min);
    send(w, { type: "anchored", unixMs: 1_763_000_000_000 + w.now + 1_000 });
    live(w, 2 * min);
    const skewed = (): number => 1_763_000_000_000 + w.now + jumpMs;
    send(w, { type: "anchored", unixMs: skewed() });
    live(w, 3 * min);
    const [body, ...more] = w.durable.slice(before).filter((one) => one.includes("ark-tip"));
    assert.deepEqual(more, []);
    const json = JSON.parse(body ?? "{}") as { readonly height: number; readonly at: number };
    assert.equal(json.height, w.frozen);
    assert.ok(Math.abs(skewed() - json.at) <= 20 * min);
    // Begun anew, it knows how old that is, and what else its file holds is older.
    const key = prng.key("anew");
    const m = guardian.create(config, key, w.now);
    guardian.step(m, { type: "anchored", unixMs: skewed() }, w.now, []);
    for (const one of w.durable) guardian.step(m, { type: "replayed", body: one }, w.now, []);
    guardian.step(m, { type: "opened" }, w.now, []);
    assert.equal(m.expiry.height.latest?.agoMs, skewed() - json.at);
    assert.ok(m.expiry.height.isProven);
  }
});

test("ark: guardian: whatever is lost, lies or dies: one intent each, no exiting or expired one "
  + "refreshed, and in the end everything is settled", () => {
  fc.assert(fc.property(coins, fc.array(acts, { maxLength: 40, size: "max" }), (list, script) => {
    const w = world(list.map((fields, i) => vtxo(`v${i}:0`, fields)));
    for (const one of script) {
      act(w, one);
      assert.deepEqual(w.violations, []);
    }
    w.losses = 0;
    w.isServerUp = true;
    w.isWalletUp = true;
    w.isFundable = true;
    w.source = "true";
    live(w, 30 * hour);
    assert.deepEqual(w.violations, []);
    for (const body of w.durable) assert.ok(/^[\x20-\x7e]+$/.test(body));
    // Nothing waits for ever: what is open is younger than any patience.
    for (const id of openIntents(w).keys()) {
      const held = w.m.drive.held.get(id);
      assert.ok(held?.phase.is === "watching", held?.phase.is);
      assert.ok(w.now - held.phase.since <= 3 * hour);
    }
  }), { numRuns: 60 });
});

test("ark: guardian: a crash at every boundary of a life changes nothing twice", () => {
  const play = (deathAt: number, landed: number, carried: boolean): World => {
    const w = world([vtxo("a:0"), vtxo("b:0", { expiryHeight: 1_070 }), vtxo("c:0")]);
    w.bad.add("b:0");
    let boundary = 0;
    const at = (): void => {
      if (boundary === deathAt) die(w, landed, carried);
      boundary += 1;
    };
    for (let i = 0; i < 1_800 && w.now < 40 * hour; i += 1) {
      let isBusy = false;
      while (w.flying.length > 0) {
        at();
        land(w);
        isBusy = true;
      }
      for (let k = 0; k < 5 && w.calls.length > 0; k += 1) {
        const isLook = ["tip", "vtxos", "exits", "pending", "exit-fee", "ark-info"].includes(
          w.calls[0]?.op.op ?? "");
        if (!isLook) at();
        serve(w, "well");
        isBusy = true;
      }
      pass(w, isBusy ? min : 3 * min);
    }
    return w;
  };
  const whole = play(-1, 0, false);
  assert.deepEqual(whole.violations, []);
  assert.equal(whole.exits.get("b:0")?.state, "claimed");
  for (let death = 0; death < 18; death += 1) {
    for (const [landed, carried] of [[0, false], [1, true], [0, true]] as const) {
      const w = play(death, landed, carried);
      assert.deepEqual(w.violations, [], `death at ${death}`);
      assert.equal(w.exits.get("b:0")?.state, "claimed", `death at ${death}`);
      assert.ok(!w.vtxos.has("a:0") && !w.vtxos.has("c:0"), `death at ${death}`);
      assert.equal(w.asked.filter(({ op }) => op.op === "claim").length <= 2, true);
    }
  }
});

/**
 * Calls on their way out and their answers on the way back, as the whole daemon makes them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as asking from "../../../core/ark/asking.ts";
import type { Asker } from "../../../core/ark/calls.ts";
import { defaults } from "../../../core/ark/config.ts";
import * as drive from "../../../core/ark/drive.ts";
import type { Effect } from "../../../core/ark/guardian-events.ts";
import * as nodes from "../../../core/ark/node.ts";
import { done, unavailable, type Op } from "../../../core/ark/wallet.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";

const { minute } = rig;
type Bench = { readonly d: nodes.Ark; readonly node: nodes.Node };

function bench(over: Partial<typeof defaults> = {}): Bench {
  const config = {
    ...defaults, ...over, wallets: [{ ...rig.plain("a"), rounds: "rounds:s" }, rig.plain("b")],
  };
  const d = nodes.create(config, prng.key("asking"), mono(0));
  d.phase = "running";
  return { d, node: d.nodes[0]! };
}

function turn(ms: number): nodes.Turn {
  return { now: mono(ms), out: [], todo: [], touched: new Set() };
}

function ask(
  b: Bench, op: Op, lane: string, ms: number, who: Asker["who"] = "guardian",
): nodes.Turn {
  const t = turn(ms);
  const asker: Asker = { wallet: "a", who, lane, token: 1 };
  asking.ask(b.d, b.node, asker, op, 1_000, t);
  return t;
}

const whyOf = (t: nodes.Turn): string => {
  const [todo] = t.todo;
  if (todo?.do !== "answered" || todo.answer.ok) return "none";
  return todo.answer.why === "unavailable" ? todo.answer.reason : todo.answer.why;
};

test("ark: asking: a call becomes a request of the wallet's program", () => {
  const b = bench();
  const [effect] = ask(b, { op: "tip" }, "look", 0).out;
  assert.ok(effect?.type === "req.start");
  const { to, method, req, renew } = effect;
  assert.deepEqual([to, method, req, renew], ["barkd:a", "GET", 3, false]);
  const t = turn(5);
  asking.settled(b.d, { type: "req.done", req: 3, status: 200, body: "{\"tip_height\":7}" }, t);
  const [todo] = t.todo;
  assert.ok(todo?.do === "answered" && todo.answer.ok);
  assert.deepEqual(todo.answer.done, { op: "tip", height: 7 });
  asking.settled(b.d, { type: "req.done", req: 3, status: 200, body: "" }, t);
  assert.equal(t.todo.length, 1, "an answer comes once");
});

test("ark: asking: what the backend has not is answered here; what has no room is unasked", () => {
  assert.equal(whyOf(ask(bench(), { op: "fee-rates" }, "sync", 0)), "unsupported");
  const b = bench({ calls: { ...defaults.calls, openMax: 2 } });
  ask(b, { op: "tip" }, "look", 0);
  ask(b, { op: "tip" }, "news", 0);
  const t = ask(b, { op: "tip" }, "books", 0);
  assert.equal(whyOf(t), "unasked");
  assert.deepEqual(t.out, []);
  b.d.phase = "draining";
  assert.equal(whyOf(ask(b, { op: "tip" }, "exit", 0)), "unasked");
  assert.equal(b.d.counts.callsBusy, 2);
});

test("ark: asking: what may dial a server takes its turn; who gives up leaves the queue", () => {
  const b = bench();
  assert.equal(ask(b, { op: "probe" }, "probe", 0, "daemon").out.length, 1);
  assert.equal(ask(b, { op: "sync" }, "sync", 0, "daemon").out.length, 0);
  assert.equal(ask(b, { op: "sync-mailbox" }, "mailbox", 0, "daemon").out.length, 0);
  const left = turn(1);
  asking.drop(b.d, b.node, "sync", 1, left);
  assert.deepEqual(left.out, []);
  const t = turn(1_000);
  asking.tick(b.d, t);
  assert.deepEqual(t.out.map((one) => (one.type === "req.start" ? one.path : one.type)),
    ["/api/v1/wallet/sync/mailbox"]);
  assert.equal(b.node.held.size, 0);
});

test("ark: asking: what the guard does not want any more when its turn comes is not sent", () => {
  const b = bench();
  const id = `${"a".repeat(64)}:0`;
  ask(b, { op: "probe" }, "probe", 0, "daemon");
  const { drive: m } = b.node.guardian;
  const out: Effect[] = [];
  drive.open(m, "refresh", [id], "", 0, out);
  for (const one of [...out]) if (one.type === "record") drive.durable(m, one.token);
  drive.ask(m, () => true, mono(0), out);
  const call = out.find((one) => one.type === "call");
  assert.ok(call?.type === "call");
  const asker: Asker = { wallet: "a", who: "guardian", lane: "refresh", token: call.token };
  asking.ask(b.d, b.node, asker, call.call, 1_000, turn(0));
  assert.equal(b.node.held.size, 1);
  const t = turn(10_000);
  asking.tick(b.d, t);
  assert.deepEqual(t.out, [], "its wallet was not seen at all");
  assert.equal(whyOf(t), "unasked");
});

test("ark: asking: a look is well again when what failed in it succeeds, and not before", () => {
  const b = bench();
  const asker: Asker = { wallet: "a", who: "guardian", lane: "look", token: 1 };
  const hear = (op: "tip" | "vtxos", isWell: boolean): number => {
    const given = !isWell ? unavailable("malformed", "x", "x")
      : op === "tip" ? done({ op, height: 7 }) : done({ op, vtxos: [] });
    asking.heard(b.d, asker, { op }, given, turn(5));
    return nodes.laneOf(b.node, "look").failures;
  };
  assert.deepEqual([hear("vtxos", false), hear("tip", true), hear("vtxos", false)], [1, 1, 2]);
  assert.deepEqual([hear("tip", true), hear("vtxos", true), hear("tip", true)], [2, 0, 0]);
});

test("ark: asking: what waits at the end was never asked, and what may be cut is given up", () => {
  const b = bench();
  ask(b, { op: "probe" }, "probe", 0, "daemon");
  ask(b, { op: "refresh", vtxos: [`${"a".repeat(64)}:0`] }, "refresh", 0);
  ask(b, { op: "exit", vtxos: [`${"a".repeat(64)}:0`] }, "exit", 0);
  ask(b, { op: "tip" }, "look", 0);
  b.d.phase = "draining";
  const t = turn(5);
  asking.stop(b.d, t);
  const told = t.todo.map((todo) => (todo.do === "answered" ? todo.op.op : todo.do));
  assert.deepEqual(told, ["refresh", "tip"]);
  assert.deepEqual(t.out.map(({ type }) => type), ["req.drop"]);
  assert.deepEqual(asking.remaining(b.d, 5).map(({ op }) => op), ["probe", "exit"]);
});

test("ark: asking: streams have numbers of their own; one that was closed is not heard", () => {
  const b = bench();
  const t = turn(0);
  asking.subscribe(b.d, b.node, "rounds", 4, t);
  assert.deepEqual(t.out, [{ type: "stream.open", stream: 1, to: "rounds:s" }]);
  asking.streamed(b.d, { type: "stream.subscribed", stream: 1 }, t);
  assert.equal(t.todo.length, 1);
  asking.close(b.d, b.node, "rounds", t);
  assert.deepEqual(t.out[1], { type: "stream.close", stream: 1 });
  asking.streamed(b.d, { type: "stream.subscribed", stream: 1 }, t);
  assert.equal(t.todo.length, 1);
  asking.subscribe(b.d, b.node, "rounds", 5, t);
  asking.close(b.d, b.node, "rounds", t);
  assert.equal(t.out.length, 2, "it waited for its turn, and left");
});

test("ark: asking: requests of notices have even numbers, and their answers their own", () => {
  const b = bench();
  const t = turn(0);
  const order = {
    type: "req.start", req: 9, to: "notice:0", method: "POST", path: "/", headers: [], body: "",
    renew: false,
  } as const;
  asking.order(b.d, order, t);
  const [effect] = t.out;
  assert.ok(effect?.type === "req.start" && effect.req === 2);
  asking.settled(b.d, { type: "req.done", req: 2, status: 200, body: "" }, t);
  assert.deepEqual(t.todo, [{
    do: "notified", event: { type: "req.done", req: 9, status: 200, body: "" },
  }]);
  asking.order(b.d, order, t);
  asking.order(b.d, { type: "req.drop", req: 9 }, t);
  assert.deepEqual(t.out.at(-1), { type: "req.drop", req: 4 });
});

test("ark: asking: after a refused token the next request has it read again, once", () => {
  const r = rig.start({ before: ({ world }) => void acts.endow(world, "alice", [9_000n], 36, 1) });
  rig.pass(r, 2 * minute);
  const token = r.world.barkds.get("alice")!.token;
  rig.act(r, (w) => void acts.changeToken(w, "alice"));
  rig.pass(r, 2 * minute);
  const renewed = r.asked.filter(({ renew }) => renew);
  assert.ok(renewed.length >= 1 && renewed.length <= 12, `${renewed.length}`);
  assert.notEqual(r.tokens.get("alice"), token);
});

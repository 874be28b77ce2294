import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaults, type Config } from "../../../core/ark/barkd-config.ts";
import { doneOf, type Told } from "../../../core/ark/barkd-replies.ts";
import type { Done, Op } from "../../../core/ark/wallet.ts";
import { parse } from "../../../core/joinmarket/json.ts";
import { arkInfo, balance, exits, goods, idA, idB, idC, round, vtxo } from "../../support/barkd.ts";

function read(op: Op, body: unknown, config: Config = defaults): Done | undefined {
  const parsed = parse(typeof body === "string" ? body : JSON.stringify(body), defaults.json);
  assert.ok(parsed.ok);
  return doneOf(config, op as Told, parsed.value);
}

const without = (from: object, key: string): object => (
  Object.fromEntries(Object.entries(from).filter(([name]) => name !== key))
);

test("barkd: replies: every call that answers has a good one", () => {
  for (const [op, body] of goods) assert.equal(read(op, body)?.op, op.op);
});

test("barkd: replies: fields that are new change nothing", () => {
  for (const [op, body] of goods) {
    if (Array.isArray(body)) continue;
    const newer = { "new_field": { a: [1] }, ...(body as object) };
    assert.deepEqual(read(op, newer), read(op, body));
  }
});

test("barkd: replies: a wallet, or none yet", () => {
  assert.deepEqual(read({ op: "identity" }, { fingerprint: "9f8e7d6c" }), {
    op: "identity", fingerprint: "9f8e7d6c",
  });
  for (const none of [{ fingerprint: null }, {}]) {
    assert.deepEqual(read({ op: "identity" }, none), { op: "identity", fingerprint: undefined });
  }
  for (const other of [{ fingerprint: "" }, { fingerprint: 5 }, [], "\"9f8e7d6c\"", "null"]) {
    assert.equal(read({ op: "identity" }, other), undefined);
  }
});

test("barkd: replies: what the server says of itself, under its old names too", () => {
  const expected = {
    op: "ark-info",
    info: {
      network: "regtest", serverPubkey: arkInfo.server_pubkey,
      mailboxPubkey: arkInfo.mailbox_pubkey, roundIntervalS: 3_900, exitDeltaBlocks: 144,
      expiryDeltaBlocks: 4_320, maxExitDepth: 5,
    },
  };
  for (const one of [arkInfo, without(arkInfo, "vtxo_lifetime")]) {
    assert.deepEqual(read({ op: "ark-info" }, one), expected);
  }
  assert.deepEqual(read({ op: "ark-info" }, without(arkInfo, "vtxo_expiry_delta")), expected);
  const needed = [
    "network", "server_pubkey", "mailbox_pubkey", "round_interval", "vtxo_exit_delta",
    "max_vtxo_exit_depth",
  ];
  for (const key of needed) {
    assert.equal(read({ op: "ark-info" }, without(arkInfo, key)), undefined);
  }
});

test("barkd: replies: VTXOs, whatever their state", () => {
  const done = read({ op: "vtxos" }, [
    vtxo, { ...vtxo, id: idB, exit_depth: null, state: { type: "locked", action_id: "x" } },
    { ...vtxo, id: idC, state: { type: "on-the-moon" } },
  ]);
  assert.ok(done?.op === "vtxos");
  assert.deepEqual(done.vtxos[0], {
    id: idA, amountSat: 250_000n, expiryHeight: 815_000, exitDeltaBlocks: 144, exitDepth: 3,
    state: "spendable",
  });
  assert.deepEqual(done.vtxos.map((one) => one.state), ["spendable", "locked", "unknown"]);
  assert.equal(done.vtxos[1]?.exitDepth, defaults.exitDepthUnknown);
});

test("barkd: replies: one bad VTXO, or one told twice, and there is no list", () => {
  const bad: readonly object[] = [
    without(vtxo, "id"), without(vtxo, "amount_sat"), without(vtxo, "expiry_height"),
    without(vtxo, "exit_delta"), without(vtxo, "state"), { ...vtxo, state: "spendable" },
    { ...vtxo, amount_sat: -1 }, { ...vtxo, amount_sat: 0.5 }, { ...vtxo, amount_sat: "1" },
    { ...vtxo, amount_sat: 2_100_000_000_000_001 }, { ...vtxo, expiry_height: 1e9 },
    { ...vtxo, exit_depth: 70_000 }, { ...vtxo, id: "x" },
  ];
  for (const one of bad) {
    assert.equal(read({ op: "vtxos" }, [{ ...vtxo, id: idB }, one]), undefined);
  }
  assert.equal(read({ op: "vtxos" }, [vtxo, vtxo]), undefined);
  assert.equal(read({ op: "vtxos" }, { vtxos: [] }), undefined);
  assert.deepEqual(read({ op: "vtxos" }, []), { op: "vtxos", vtxos: [] });
  const twice = JSON.stringify(vtxo).replace("{", `{"id":"${idB}",`);
  assert.equal(read({ op: "vtxos" }, `[${twice}]`), undefined);
});

test("barkd: replies: lists end at their limits", () => {
  const config: Config = { ...defaults, listMax: 2, newsMax: 2 };
  const three = [vtxo, { ...vtxo, id: idB }, { ...vtxo, id: idC }];
  assert.notEqual(read({ op: "vtxos" }, three.slice(1), config), undefined);
  assert.equal(read({ op: "vtxos" }, three, config), undefined);
  assert.equal(read({ op: "exits" }, exits, config), undefined);
  const news = [1, 2, 3].map(() => ({ type: "channel-lagging" }));
  const poll: Op = { op: "notifications", since: undefined };
  assert.notEqual(read(poll, { notifications: news.slice(1) }, config), undefined);
  assert.equal(read(poll, { notifications: news }, config), undefined);
});

test("barkd: replies: a balance is exact, and what exits hold may be unknown", () => {
  assert.deepEqual(read({ op: "balance" }, balance), {
    op: "balance",
    balance: {
      spendableSat: 2_100_000_000_000_000n, inRoundSat: 3n, lightningSendSat: 1n,
      lightningReceiveSat: 2n, boardSat: 4n, exitSat: undefined,
    },
  });
  const more = read({ op: "balance" }, { ...balance, pending_exit_sat: 5 });
  assert.ok(more?.op === "balance" && more.balance.exitSat === 5n);
  for (const key of ["spendable_sat", "pending_board_sat", "pending_in_round_sat"]) {
    assert.equal(read({ op: "balance" }, without(balance, key)), undefined);
    assert.equal(read({ op: "balance" }, { ...balance, [key]: null }), undefined);
    assert.equal(read({ op: "balance" }, { ...balance, [key]: 1.5 }), undefined);
  }
  assert.equal(read({ op: "balance" }, { ...balance, pending_exit_sat: "5" }), undefined);
});

test("barkd: replies: exits and the height from which they can be claimed", () => {
  const done = read({ op: "exits" }, exits);
  assert.ok(done?.op === "exits");
  assert.deepEqual(done.exits, [
    { vtxo: idA, state: "processing", claimableHeight: undefined },
    { vtxo: idB, state: "awaiting-delta", claimableHeight: 812_144 },
    { vtxo: idC, state: "claimable", claimableHeight: 812_000 },
  ]);
  const states: readonly (readonly [object, string | undefined])[] = [
    [{ type: "start" }, "start"], [{ type: "claimed" }, "claimed"],
    [{ type: "canceled" }, "canceled"],
    [{ type: "vtxo-already-spent" }, "already-spent"], [{ type: "vtxo-swept" }, "unknown"],
    [{ type: "claim-in-progress", claimable_since: { height: 5 } }, "claim-in-progress"],
    [{ type: "awaiting-delta" }, undefined],
    [{ type: "claimable", claimable_since: {} }, undefined],
    [{ type: 5 }, undefined], [{}, undefined],
  ];
  for (const [state, expected] of states) {
    const one = read({ op: "exits" }, [{ vtxo_id: idA, state }]);
    assert.equal(one?.op === "exits" ? one.exits[0]?.state : undefined, expected);
  }
});

test("barkd: replies: a round for other coins than were named is none", () => {
  const op = (vtxos: readonly string[]): Op => ({ op: "refresh", vtxos });
  assert.deepEqual(read(op([idA, idB]), round), { op: "refresh", roundId: 7, isConfirmed: false });
  const funded = { ...round, status: { status: "confirmed", funding_txid: "ab".repeat(32) } };
  assert.deepEqual(read(op([idA, idB]), funded), {
    op: "refresh", roundId: 7, isConfirmed: true,
  });
  for (const other of [[idA], [idA, idC], [idA, idB, idC]]) {
    assert.equal(read(op(other), round), undefined);
  }
});

test("barkd: replies: a checkpoint that cannot be held exactly is not held", () => {
  assert.deepEqual(read({ op: "sync-mailbox" }, { checkpoint: 0 }), {
    op: "sync-mailbox", checkpoint: 0,
  });
  assert.deepEqual(read({ op: "sync-mailbox" }, "{\"checkpoint\":9007199254740993}"), {
    op: "sync-mailbox", checkpoint: undefined,
  });
  for (const other of [{}, { checkpoint: -1 }, { checkpoint: 1.5 }, { checkpoint: "1" }]) {
    assert.equal(read({ op: "sync-mailbox" }, other), undefined);
  }
});

test("barkd: replies: news are told by their kind", () => {
  const poll: Op = { op: "notifications", since: undefined };
  assert.deepEqual(read(poll, { notifications: [], last_pushed_at: null }), {
    op: "notifications", news: [], last: undefined,
  });
  const [, body] = goods.find(([op]) => op.op === "notifications")!;
  const done = read(poll, body);
  assert.ok(done?.op === "notifications");
  assert.deepEqual(done.news.map((one) => one.kind), ["movement", "lagging", "unknown"]);
  assert.equal(done.last, "2026-08-22T16:30:00.123456789Z");
  assert.equal(read(poll, { notifications: [], last_pushed_at: "soon" }), undefined);
  assert.equal(read(poll, { notifications: [{}] }), undefined);
});

test("barkd: replies: any JSON is read without harm, to any call", () => {
  const ops = goods.map(([op]) => op);
  fc.assert(fc.property(fc.constantFrom(...ops), fc.json({ maxDepth: 4 }), (op, body) => {
    const parsed = parse(body, defaults.json);
    if (parsed.ok) doneOf(defaults, op as Told, parsed.value);
  }), { numRuns: 100 });
});

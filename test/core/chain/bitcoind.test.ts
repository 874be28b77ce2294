import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as bitcoind from "../../../core/chain/bitcoind.ts";
import type { Answer, Effect, Event, Question, Wish } from "../../../core/chain/chain.ts";
import { mono, NEVER } from "../../../core/time.ts";
import {
  ask, askOver, config, error, quiet, reasonOf, replyOf, type Node,
} from "../../support/bitcoind.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const tip: Question = { ask: "tip" };
const coins: Question = { ask: "coins" };
const txid = "ab".repeat(32);
const every: readonly Question[] = [
  tip, coins, { ask: "rescan", fromHeight: undefined }, { ask: "rescan-progress" },
  { ask: "tx", txid }, { ask: "address", address: "bcrt1qaddress0" }, { ask: "prepare" },
];

test("bitcoind: request: POST of JSON, to the node or to the wallet", () => {
  const out: Effect[] = [];
  const m = bitcoind.create(config);
  bitcoind.step(m, { type: "asked", token: 1, question: tip }, mono(0), out);
  bitcoind.step(m, { type: "asked", token: 2, question: coins }, mono(0), out);
  const [first, second] = out as Wish[];
  assert.deepEqual(first, {
    type: "request", token: 1, to: "bitcoind", method: "POST", path: "/", renew: false,
    headers: [["content-type", "application/json"]], timeoutMs: config.callMs,
    body: "{\"jsonrpc\":\"1.0\",\"id\":\"1.0\",\"method\":\"getblockchaininfo\",\"params\":[]}",
  });
  assert.equal(second?.path, "/wallet/watch");
  assert.equal(bitcoind.deadline(m), NEVER);
});

test("bitcoind: 401: the cookie is read again once, then the answer is credentials", () => {
  const once = askOver(config, coins, (wish, round) => (
    round === 1 ? { status: 401, body: "" } : replyOf(quiet, wish)
  ));
  assert.equal(reasonOf(once.answer), "found coins");
  assert.match(once.sent[1]!, / renewed$/);
  const twice = askOver(config, coins, () => ({ status: 401, body: "" }));
  assert.equal(reasonOf(twice.answer), "credentials");
  assert.equal(twice.sent.length, 2);
});

test("bitcoind: wallet not loaded: it is loaded once, and the call repeated", () => {
  let isLoaded = false;
  const node = (loadwallet: Node[string]): Node => ({
    ...quiet, loadwallet: loadwallet!,
    listunspent: () => (isLoaded ? "[]" : error(-18, "Requested wallet does not exist")),
  });
  const load = (): string => {
    isLoaded = true;
    return "{\"name\":\"watch\"}";
  };
  const loaded = ask(coins, node(load));
  assert.equal(reasonOf(loaded.answer), "found coins");
  assert.equal(loaded.sent[1], "/ loadwallet");
  assert.equal(loaded.sent[0], loaded.sent[2]);
  const reason = (said: Node[string]): string => {
    isLoaded = false;
    return reasonOf(ask(coins, node(said)).answer);
  };
  assert.equal(reason(error(-4, "Wallet already loading.")), "wallet-loading");
  assert.equal(reason(error(-18, "Wallet file not found.")), "wallet");
  assert.equal(reason("{}"), "wallet", "said to be loaded, and is not");
  assert.equal(reason(() => {
    isLoaded = true;
    return error(-35, "Wallet \"watch\" is already loaded.");
  }), "found coins");
});

test("bitcoind: warm-up: no wallet is loaded into a node that starts", () => {
  const { answer, sent } = ask(coins, {
    ...quiet, listunspent: error(-18), getblockchaininfo: error(-28, "Verifying blocks…"),
  });
  assert.equal(reasonOf(answer), "warming-up");
  assert.equal(sent.length, 1);
});

test("bitcoind: every question ends as unavailable, whatever the transport does", () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [200, "", "nonsense"], [200, "<html>", "nonsense"], [200, "{\"result\":", "nonsense"],
    [500, "Internal Server Error", "nonsense"], [404, "not found", "nonsense"],
    [403, "", "refused"], [503, "Work queue depth exceeded", "busy"], [502, "", "unreachable"],
    [200, "{\"result\":null,\"error\":null,\"id\":\"9.9\"}", "nonsense"],
  ];
  for (const question of every) {
    for (const [status, body, reason] of cases) {
      const { answer } = askOver(config, question, () => ({ status, body }));
      assert.equal(reasonOf(answer), reason, `${question.ask} ${status} ${body}`);
    }
    assert.equal(reasonOf(askOver(config, question, () => "timeout").answer), "timeout");
  }
});

test("bitcoind: a node that has every answer answers every question", () => {
  const scanned: Node = {
    ...quiet, setlabel: "null",
    rescanblockchain: (from, to) => JSON.stringify({ start_height: from, stop_height: to }),
  };
  assert.deepEqual(every.map((question) => reasonOf(ask(question, scanned).answer)), [
    "found tip", "found coins", "found rescan", "found rescan-progress", "absent", "absent",
    "found prepare",
  ]);
});

test("bitcoind: at any request of any question the node may die: never absent, never empty", () => {
  const scanned: Node = {
    ...quiet, setlabel: "null",
    rescanblockchain: (from, to) => JSON.stringify({ start_height: from, stop_height: to }),
  };
  for (const question of every) {
    const rounds = ask(question, scanned).sent.length;
    for (let at = 1; at <= rounds; at += 1) {
      const { answer } = askOver(config, question, (wish, round) => (
        round < at ? replyOf(scanned, wish) : "timeout"
      ));
      assert.equal(reasonOf(answer), "timeout", `${question.ask} at ${at}`);
    }
  }
});

test("bitcoind: questions: a malformed one is answered without a request", () => {
  const out: Effect[] = [];
  const m = bitcoind.create(config);
  bitcoind.step(m, { type: "asked", token: 1, question: { ask: "tx", txid: "x" } }, mono(0), out);
  assert.equal(out.length, 1);
  assert.ok(out[0]?.type === "answered" && reasonOf(out[0].answer) === "refused");
});

test("bitcoind: questions: questionsMax at once, the next is told so", () => {
  const out: Effect[] = [];
  const m = bitcoind.create({ ...config, questionsMax: 2 });
  for (const token of [1, 2, 3]) {
    bitcoind.step(m, { type: "asked", token, question: tip }, mono(0), out);
  }
  assert.deepEqual(out.map(({ type }) => type), ["request", "request", "answered"]);
  assert.ok(out[2]?.type === "answered" && reasonOf(out[2].answer) === "busy");
  assert.equal(m.talks.size, 2);
});

test("bitcoind: questions: a token is used once", () => {
  const m = bitcoind.create(config);
  bitcoind.step(m, { type: "asked", token: 1, question: tip }, mono(0), []);
  assert.throws(
    () => bitcoind.step(m, { type: "asked", token: 1, question: tip }, mono(0), []), /used once/,
  );
});

test("bitcoind: dropped: the request is withdrawn, and what comes for it changes nothing", () => {
  const out: Effect[] = [];
  const m = bitcoind.create(config);
  const say = (event: Event): void => bitcoind.step(m, event, mono(0), out);
  say({ type: "asked", token: 1, question: tip });
  say({ type: "dropped", token: 1 });
  say({ type: "dropped", token: 1 });
  say({ type: "replied", token: 1, status: 200, body: "{}" });
  say({ type: "failed", token: 1, reason: "reset" });
  say({ type: "given", token: 1, addresses: [] });
  assert.deepEqual(out.map(({ type }) => type), ["request", "withdraw"]);
  assert.equal(bitcoind.isQuiet(m), true);
});

test("bitcoind: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<bitcoind.Config>[] = [
    { wallet: "a/b" }, { wallet: "" }, { watch: [] }, { questionsMax: 0 }, { attemptsMax: 0 },
    { scanBlocks: 0 }, { birthHeight: -1 }, { indexMax: -1 },
  ];
  for (const part of wrong) assert.throws(() => bitcoind.create({ ...config, ...part }));
});

/** In a script, a reply is what the node says to whatever that question last sent. */
type Played =
  | { readonly type: "asked"; readonly question: Question }
  | { readonly type: "served" | "lost" | "garbled" | "locked" | "dropped"; readonly pick: number }
  | { readonly type: "tick" };
type Bench = {
  readonly m: bitcoind.Bitcoind; tokens: number; readonly open: Map<number, Wish>;
};

function play(b: Bench, event: Played, out: Effect[]): void {
  const from = out.length;
  if (event.type === "asked") {
    b.tokens += 1;
    const { question } = event;
    bitcoind.step(b.m, { type: "asked", token: b.tokens, question }, mono(0), out);
  } else if (event.type === "tick") bitcoind.step(b.m, event, mono(0), out);
  else {
    const wish = [...b.open.values()][event.pick % (b.open.size + 1)];
    if (wish !== undefined) reply(b, event.type, wish, out);
  }
  for (const effect of out.slice(from)) {
    if (effect.type === "request") b.open.set(effect.token, effect);
  }
}

type How = Exclude<Played["type"], "asked" | "tick">;
function reply(b: Bench, how: How, wish: Wish, out: Effect[]): void {
  const { token } = wish;
  const say = (event: Event): void => bitcoind.step(b.m, event, mono(0), out);
  b.open.delete(token);
  switch (how) {
    case "served": return say({ type: "replied", token, ...replyOf(quiet, wish) });
    case "lost": return say({ type: "failed", token, reason: "reset" });
    case "garbled": return say({ type: "replied", token, status: 200, body: wish.body });
    case "locked": return say({ type: "replied", token, status: 401, body: "" });
    case "dropped": return say({ type: "dropped", token });
  }
}

test("bitcoind: laws: every question gets one answer, and none without one of its own", () => {
  const subject: Subject<Bench, Played, Effect> = {
    create: () => (
      { m: bitcoind.create({ ...config, questionsMax: 4 }), tokens: 0, open: new Map() }
    ),
    step: (b, event, _now, out) => play(b, event, out),
    deadline: (b) => bitcoind.deadline(b.m), tick: { type: "tick" }, settleMs: 10,
    holds: (b) => {
      assert.ok(b.m.talks.size <= 4);
      assert.deepEqual(new Set(b.open.keys()), new Set(b.m.talks.keys()),
        "each open question has its request");
    },
    lives: (run) => {
      // Finish what is under way: it takes no more than the steps of a plan.
      const out: Effect[] = effectsOf(run).map(({ effect }) => effect);
      for (let i = 0; i < 200 && run.state.open.size > 0; i += 1) {
        play(run.state, { type: "lost", pick: 0 }, out);
      }
      const answers = out.filter((effect) => effect.type === "answered");
      const dropped = out.filter((effect) => effect.type === "withdraw");
      assert.equal(new Set(answers.map(({ token }) => token)).size, answers.length);
      assert.equal(answers.length + dropped.length, run.state.tokens);
      for (const { answer } of answers) assert.ok(isHonest(answer));
    },
  };
  const pick = fc.nat(4);
  const event: fc.Arbitrary<Played> = fc.oneof(
    fc.record({ type: fc.constant("asked" as const), question: fc.constantFrom(...every) }),
    fc.record({ type: fc.constant("served" as const), pick }),
    fc.record({
      type: fc.constantFrom<How>("lost", "garbled", "locked", "dropped"), pick,
    }),
  );
  fc.assert(fc.property(scripts(event, 5, 25), (script) => void laws(subject, script)), {
    numRuns: 60,
  });
});

/** The node of this script has no coin, knows no transaction, and says so only when it is asked. */
function isHonest(answer: Answer): boolean {
  return !answer.ok || answer.ask !== "tx";
}

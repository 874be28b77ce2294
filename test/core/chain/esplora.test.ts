import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Answer, Coin, Effect, Event, Question } from "../../../core/chain/chain.ts";
import { genesis } from "../../../core/chain/esplora-says.ts";
import * as esplora from "../../../core/chain/esplora.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { hashAt, reasonOf } from "../../support/bitcoind.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: esplora.Config = {
  ...esplora.defaults, network: "regtest", gapMax: 3, indexMax: 20, coinsMax: 10,
  branches: [{ mixdepth: 0, branch: 0 }, { mixdepth: 0, branch: 1 }, { mixdepth: 1, branch: 0 }],
};

type Reply = { readonly status: number; readonly body: string };
type Server = (path: string, round: number) => Reply;
const ok = (body: unknown): Reply => ({
  status: 200, body: typeof body === "string" ? body : JSON.stringify(body),
});
const notFound: Reply = { status: 404, body: "Transaction not found" };

const addressOf = (mixdepth: number, branch: number, index: number): string =>
  `bcrt1q${mixdepth}x${branch}x${String(index).padStart(4, "0")}`;

const block = (height: number): unknown => ({
  id: hashAt(height), height, timestamp: 1_700_000_000,
});
const usage = (txs: number, funded: number): unknown => ({
  chain_stats: { tx_count: txs, funded_txo_count: funded, spent_txo_count: 0 },
  mempool_stats: { tx_count: 0, funded_txo_count: 0, spent_txo_count: 0 },
});
const txid = (n: number): string => n.toString(16).padStart(64, "0");

/** A server at height 100 that knows the coins of these addresses. */
function server(coins: ReadonlyMap<string, readonly number[]> = new Map(), height = 100): Server {
  return (path) => {
    const [, kind, name = "", what] = path.split("/");
    if (path === "/block-height/0") return ok(genesis.regtest);
    if (path === "/blocks/tip/hash") return ok(hashAt(height));
    if (kind === "block") return ok(block(height));
    const values = coins.get(name);
    if (kind === "address" && what === undefined) {
      return ok(usage(values === undefined ? 0 : 1, values?.length ?? 0));
    }
    if (kind === "address" && what === "utxo") {
      return ok(values!.map((value) => ({
        txid: txid(value), vout: 0, value,
        status: { confirmed: true, block_height: 98, block_hash: hashAt(98) },
      })));
    }
    if (kind === "address") return ok([]);
    return notFound;
  };
}

type Asking = {
  readonly answer: Answer; readonly paths: readonly string[]; readonly told: readonly Effect[];
};

function ask(question: Question, say: Server, limits: Partial<esplora.Config> = {}): Asking {
  const m = esplora.create({ ...config, ...limits });
  const out: Effect[] = [];
  const paths: string[] = [];
  const told: Effect[] = [];
  const step = (event: Event): void => {
    out.length = 0;
    esplora.step(m, event, mono(0), out);
    told.push(...out);
  };
  step({ type: "asked", token: 1, question });
  for (let round = 1; round <= 500; round += 1) {
    const next = out.find((effect) => effect.type !== "progress")!;
    switch (next.type) {
      case "answered":
        assert.equal(esplora.isQuiet(m), true);
        return { answer: next.answer, paths, told };
      case "derive": {
        const { mixdepth, branch, from, count } = next;
        const addresses = Array.from({ length: count }, (_, i) => (
          addressOf(mixdepth, branch, from + i)
        ));
        step({ type: "given", token: 1, addresses });
        break;
      }
      case "request":
        assert.deepEqual([next.method, next.to, next.body], ["GET", "esplora", ""]);
        paths.push(next.path);
        step({ type: "replied", token: 1, ...say(next.path, paths.length) });
        break;
      case "withdraw": assert.fail("nothing was dropped");
    }
  }
  return assert.fail("no answer after 500 requests");
}

const coinsOf = (answer: Answer): readonly Coin[] => {
  assert.ok(answer.ok && answer.ask === "coins", reasonOf(answer));
  return answer.coins;
};

test("esplora: prepare: the first block tells the network", () => {
  assert.deepEqual(ask({ ask: "prepare" }, server()).answer, {
    ok: true, ask: "prepare", imported: 0, isScanned: true,
  });
  const other = ask({ ask: "prepare" }, server(), { network: "mainnet" });
  assert.equal(reasonOf(other.answer), "wrong-network");
  assert.equal(reasonOf(ask({ ask: "prepare" }, () => ok("")).answer), "nonsense");
});

test("esplora: tip: hash first, then the block of that hash", () => {
  const { answer, paths } = ask({ ask: "tip" }, server());
  assert.deepEqual(answer, {
    ok: true, ask: "tip", tip: {
      hash: hashAt(100), height: 100, timeS: 1_700_000_000, isSynced: true, keptSince: undefined,
    },
  });
  assert.deepEqual(paths, ["/blocks/tip/hash", `/block/${hashAt(100)}`]);
});

test("esplora: tip: an earlier one is in the chain, left behind, or not even known", () => {
  const kept = (since: string, status: Reply): unknown => {
    const { answer } = ask({ ask: "tip", since }, (path, round) => (
      path.endsWith("/status") ? status : server()(path, round)
    ));
    return answer.ok && answer.ask === "tip" ? answer.tip.keptSince : reasonOf(answer);
  };
  assert.equal(kept(hashAt(100), notFound), true, "the same needs no question");
  assert.equal(kept(hashAt(99), ok({ in_best_chain: true })), true);
  assert.equal(kept(hashAt(99), ok({ in_best_chain: false })), false);
  assert.equal(kept(hashAt(99), { status: 404, body: "Block not found" }), false);
  assert.equal(kept(hashAt(99), ok("{}")), "nonsense");
  assert.equal(kept(hashAt(99), { status: 404, body: "" }), "nonsense");
});

test("esplora: coins: each branch is looked through to its gap", () => {
  const coins = new Map([
    [addressOf(0, 0, 0), [7]], [addressOf(0, 0, 3), [8, 9]], [addressOf(1, 0, 2), [5]],
  ]);
  const { answer, told } = ask({ ask: "coins" }, server(coins));
  assert.deepEqual(
    coinsOf(answer).map(({ valueSat, mixdepth, branch, index, confirmations }) => (
      [valueSat, mixdepth, branch, index, confirmations]
    )),
    [[5n, 1, 0, 2, 3], [7n, 0, 0, 0, 3], [8n, 0, 0, 3, 3], [9n, 0, 0, 3, 3]],
  );
  const wanted = told.flatMap((effect) => (
    effect.type === "derive" ? [[effect.mixdepth, effect.branch, effect.from, effect.count]] : []
  ));
  assert.deepEqual(wanted, [
    [0, 0, 0, 3], [0, 0, 3, 1], [0, 0, 4, 3], [0, 1, 0, 3], [1, 0, 0, 3], [1, 0, 3, 3],
  ]);
  const progress = told.flatMap((effect) => (
    effect.type === "progress" ? [effect.progress.permille] : []
  ));
  assert.deepEqual(progress, [0, 0, 0, 333, 666, 666]);
});

test("esplora: coins: what lies behind the gap is not found", () => {
  assert.deepEqual(coinsOf(ask({ ask: "coins" }, server(new Map([
    [addressOf(0, 0, 2), [1]], [addressOf(0, 1, 3), [2]],
  ]))).answer).map(({ valueSat }) => valueSat), [1n]);
});

test("esplora: coins: branches and coins beyond the limits are refused, never cut short", () => {
  const used: Server = (path, round) => (
    /^\/address\/[^/]*$/.test(path) ? ok(usage(1, 0)) : server()(path, round)
  );
  assert.equal(reasonOf(ask({ ask: "coins" }, used).answer), "too-many");
  const many = (count: number): Asking => ask({ ask: "coins" }, server(new Map([
    [addressOf(0, 0, 0), Array.from({ length: count }, (_, i) => i + 1)],
  ])));
  assert.equal(coinsOf(many(10).answer).length, 10);
  assert.equal(reasonOf(many(11).answer), "too-many");
});

test("esplora: coins: when the tip moves all is asked again, and in the end refused", () => {
  let tips = 0;
  const moving = (until: number): Server => (path, round) => {
    if (path !== "/blocks/tip/hash") return server()(path, round);
    tips += 1;
    return ok(hashAt(tips < until ? tips : 100));
  };
  tips = 0;
  assert.deepEqual(coinsOf(ask({ ask: "coins" }, moving(3)).answer), []);
  assert.equal(tips, 4);
  tips = 0;
  assert.equal(reasonOf(ask({ ask: "coins" }, moving(1_000)).answer), "unsettled");
  assert.equal(tips, 2 * config.attemptsMax);
});

test("esplora: a tip that is gone has moved: several servers behind one name", () => {
  const { answer } = ask({ ask: "tip" }, (path, round) => (
    path.startsWith("/block/") ? { status: 404, body: "Block not found" } : server()(path, round)
  ));
  assert.equal(reasonOf(answer), "unsettled");
});

test("esplora: tx: in the mempool, in a block, and of another id", () => {
  const say = (id: string, status: unknown): Server => (path, round) => (
    path.startsWith("/tx/") ? ok({ txid: id, vout: [{ value: 7 }], status }) : server()(path, round)
  );
  const tx = (status: unknown, id = txid(1)): Answer =>
    ask({ ask: "tx", txid: txid(1) }, say(id, status)).answer;
  const outputs = [{ vout: 0, valueSat: 7n, address: undefined }];
  assert.deepEqual(tx({ confirmed: false }), {
    ok: true, ask: "tx", tx: { confirmations: 0, outputs },
  });
  assert.deepEqual(tx({ confirmed: true, block_height: 100, block_hash: hashAt(100) }), {
    ok: true, ask: "tx",
    tx: { confirmations: 1, height: 100, blockHash: hashAt(100), outputs },
  });
  const ahead = tx({ confirmed: true, block_height: 101, block_hash: hashAt(101) });
  assert.ok(ahead.ok && ahead.ask === "tx" && ahead.tx.confirmations === 1, "a block since");
  assert.equal(reasonOf(tx({ confirmed: false }, txid(2))), "nonsense");
});

test("esplora: tx: 404 in its own words under a tip that stays is absent, an outage not", () => {
  const tx = (reply: Reply): Asking => ask({ ask: "tx", txid: txid(1) }, (path, round) => (
    path.startsWith("/tx/") ? reply : server()(path, round)
  ));
  const gone = tx(notFound);
  assert.deepEqual(gone.answer, { ok: false, why: "absent", conflicts: [] });
  assert.equal(gone.paths.at(-1), "/blocks/tip/hash");
  const outages: readonly (readonly [number, string, string])[] = [
    [404, "<html>404</html>", "nonsense"], [404, "", "nonsense"],
    [404, "404 page not found", "nonsense"], [200, "<html>", "nonsense"], [200, "", "nonsense"],
    [200, "{\"txid\":", "nonsense"], [500, "", "unreachable"], [502, "<html>", "unreachable"],
    [503, "", "busy"], [429, "Too Many Requests", "busy"],
  ];
  for (const [status, body, reason] of outages) {
    assert.equal(reasonOf(tx({ status, body }).answer), reason, `${status} ${body}`);
  }
});

test("esplora: address: each output that paid it; nothing under a tip that stays is absent", () => {
  const address = "bcrt1qaddress0";
  const paid = ask({ ask: "address", address }, (path, round) => (
    path.endsWith("/txs") ? ok([{
      txid: txid(4), status: { confirmed: true, block_height: 99, block_hash: hashAt(99) },
      vout: [
        { value: 1, scriptpubkey_address: "other" }, { value: 2, scriptpubkey_address: address },
      ],
    }]) : server()(path, round)
  ));
  assert.deepEqual(paid.answer, {
    ok: true, ask: "address",
    payments: [{ txid: txid(4), vout: 1, valueSat: 2n, confirmations: 2 }],
  });
  assert.equal(reasonOf(ask({ ask: "address", address }, server()).answer), "absent");
});

test("esplora: rescan: there is nothing to search", () => {
  assert.deepEqual(ask({ ask: "rescan", fromHeight: 7 }, server()).answer, {
    ok: true, ask: "rescan", fromHeight: 0, toHeight: 100,
  });
  const { answer, paths } = ask({ ask: "rescan-progress" }, server());
  assert.deepEqual(answer, { ok: true, ask: "rescan-progress", progress: undefined });
  assert.deepEqual(paths, []);
});

test("esplora: hazard 3: at any request the server may fail: never absent, never empty", () => {
  const coins = new Map([[addressOf(0, 0, 0), [7]]]);
  const questions: readonly Question[] = [
    { ask: "tip", since: hashAt(3) }, { ask: "coins" }, { ask: "tx", txid: txid(1) },
    { ask: "address", address: "bcrt1qaddress0" }, { ask: "rescan", fromHeight: undefined },
    { ask: "prepare" },
  ];
  for (const question of questions) {
    const say: Server = (path, round) => (
      path.endsWith("/status") ? ok({ in_best_chain: true }) : server(coins)(path, round)
    );
    const { paths } = ask(question, say);
    for (const [status, body] of [[200, ""], [404, ""], [200, "["]] as const) {
      const bad = { status, body };
      for (let at = 1; at <= paths.length; at += 1) {
        const { answer } = ask(question, (path, round) => (round === at ? bad : say(path, round)));
        assert.equal(reasonOf(answer), "nonsense", `${question.ask} at ${at}`);
      }
    }
  }
});

test("esplora: questions: malformed, too many, dropped, and late words", () => {
  const m = esplora.create({ ...config, questionsMax: 1 });
  const out: Effect[] = [];
  const say = (event: Event): void => esplora.step(m, event, mono(0), out);
  say({ type: "asked", token: 1, question: { ask: "address", address: "../../x" } });
  assert.ok(out[0]?.type === "answered" && reasonOf(out[0].answer) === "refused");
  say({ type: "asked", token: 2, question: { ask: "tip" } });
  say({ type: "asked", token: 3, question: { ask: "tip" } });
  assert.ok(out[2]?.type === "answered" && reasonOf(out[2].answer) === "busy");
  assert.throws(() => say({ type: "asked", token: 2, question: { ask: "tip" } }), /used once/);
  say({ type: "given", token: 2, addresses: [] });
  say({ type: "dropped", token: 2 });
  say({ type: "dropped", token: 2 });
  say({ type: "replied", token: 2, status: 200, body: "" });
  say({ type: "failed", token: 2, reason: "reset" });
  say({ type: "given", token: 2, addresses: [] });
  say({ type: "tick" });
  assert.deepEqual(out.slice(3).map(({ type }) => type), ["withdraw"]);
  assert.equal(esplora.deadline(m), NEVER);
});

test("esplora: a host that cannot derive, or derives nonsense", () => {
  const walking = (): esplora.Esplora => {
    const m = esplora.create(config);
    esplora.step(m, { type: "asked", token: 1, question: { ask: "coins" } }, mono(0), []);
    for (const path of ["/blocks/tip/hash", "/block/x"]) {
      esplora.step(m, { type: "replied", token: 1, ...server()(path, 0) }, mono(0), []);
    }
    assert.equal(m.talks.get(1)?.want, "addresses");
    return m;
  };
  const out: Effect[] = [];
  for (const reason of ["denied", "timeout"] as const) {
    esplora.step(walking(), { type: "failed", token: 1, reason }, mono(0), out);
  }
  const reasons = out.map((one) => (one.type === "answered" ? reasonOf(one.answer) : one.type));
  assert.deepEqual(reasons, ["wallet", "timeout"]);
  const given = (addresses: readonly string[]) => () =>
    esplora.step(walking(), { type: "given", token: 1, addresses }, mono(0), []);
  assert.throws(given(["bcrt1qaddress0"]), /as many/);
  assert.throws(given(["bcrt1qaddress0", "bcrt1qaddress1", "a/b"]), /fits into a path/);
  const m = walking();
  esplora.step(m, { type: "replied", token: 1, status: 200, body: "" }, mono(0), []);
  assert.equal(m.talks.size, 1, "no reply was asked for");
});

test("esplora: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<esplora.Config>[] = [
    { gapMax: 0 }, { indexMax: 2 }, { questionsMax: 0 }, { attemptsMax: 0 }, { branches: [] },
  ];
  for (const part of wrong) assert.throws(() => esplora.create({ ...config, ...part }));
});

type Played =
  | { readonly type: "asked" | "served" | "lost" | "garbled" } | { readonly type: "tick" };
type Bench = { readonly m: esplora.Esplora; tokens: number; open: Effect[] };

function play(b: Bench, event: Played, out: Effect[]): void {
  const from = out.length;
  const say = (given: Event): void => esplora.step(b.m, given, mono(0), out);
  if (event.type === "asked") {
    b.tokens += 1;
    const question: Question = b.tokens % 2 === 0 ? { ask: "coins" } : { ask: "tx", txid: txid(1) };
    say({ type: "asked", token: b.tokens, question });
  } else if (event.type === "tick") say(event);
  else {
    const [wish, ...rest] = b.open;
    b.open = rest;
    if (wish === undefined || !("token" in wish)) return;
    const { token } = wish;
    if (event.type === "lost") say({ type: "failed", token, reason: "timeout" });
    else if (wish.type === "derive") {
      const addresses = Array.from({ length: wish.count }, (_, i) => addressOf(0, 0, i));
      say({ type: "given", token, addresses });
    } else if (event.type === "garbled") say({ type: "replied", token, status: 200, body: "?" });
    else if (wish.type === "request") say({ type: "replied", token, ...server()(wish.path, 0) });
  }
  for (const effect of out.slice(from)) {
    if (effect.type === "request" || effect.type === "derive") b.open.push(effect);
  }
}

test("esplora: laws: every question gets one answer, with at most one request at a time", () => {
  const subject: Subject<Bench, Played, Effect> = {
    create: () => ({ m: esplora.create({ ...config, questionsMax: 3 }), tokens: 0, open: [] }),
    step: (b, event, _now, out) => play(b, event, out),
    deadline: (b) => esplora.deadline(b.m), tick: { type: "tick" }, settleMs: 10,
    holds: (b) => {
      assert.ok(b.m.talks.size <= 3);
      assert.equal(b.open.length, b.m.talks.size);
    },
    lives: (run) => {
      const out: Effect[] = effectsOf(run).map(({ effect }) => effect);
      for (let i = 0; i < 10; i += 1) play(run.state, { type: "lost" }, out);
      const answers = out.filter((effect) => effect.type === "answered");
      assert.equal(answers.length, run.state.tokens);
      assert.equal(new Set(answers.map(({ token }) => token)).size, answers.length);
    },
  };
  const event: fc.Arbitrary<Played> = fc.oneof(
    { weight: 2, arbitrary: fc.constant({ type: "asked" as const }) },
    { weight: 8, arbitrary: fc.constant({ type: "served" as const }) },
    { weight: 1, arbitrary: fc.constantFrom<Played>({ type: "lost" }, { type: "garbled" }) },
  );
  fc.assert(fc.property(scripts(event, 5, 60), (script) => void laws(subject, script)), {
    numRuns: 40,
  });
});

/**
 * A maker that nobody has started, and what it says in its log.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import * as esplora from "../../../core/chain/esplora.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { defaults, type MakerConfig } from "../../../core/maker/config.ts";
import * as node from "../../../core/maker/node.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as onion from "../../../core/tor/onion.ts";
import { watch } from "../../support/bitcoind.ts";
import { unplain } from "../../support/leaves.ts";
import * as beside from "../../support/maker-beside.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import * as takers from "../../support/maker-taker.ts";
import { primitives } from "../../support/primitives.ts";

function create(logLevel: "error" | "info" = "info"): node.Maker {
  const config = { ...defaults, logLevel, network: "mainnet", pubkey: rig.pubkey } as const;
  return node.create(config, prng.key("node"), primitives, mono(5));
}

test("maker: node: the nick is the key's, and settings that contradict are refused", () => {
  assert.equal(create().nick, rig.nick);
  const config = { ...defaults, network: "signet", pubkey: rig.pubkey } as const;
  assert.throws(() => node.create(config, prng.key("node"), primitives, mono(5)), InvariantError);
});

test("maker: node: the wall clock is what the host told last, moved on", () => {
  const d = create();
  assert.equal(node.unixMsAt(d, mono(100)), 0);
  d.anchor = { unixMs: 1_000 };
  d.anchoredAt = mono(50);
  assert.equal(node.unixMsAt(d, mono(100)), 1_050);
});

test("maker: node: what the operator does not want to hear is not said, whoever says it", () => {
  const turn = (): node.Turn => ({ now: mono(5), p: primitives, out: [], todo: [] });
  const line = { type: "log", level: "warn", code: "maker.x", fields: {} } as const;
  const [loud, quiet] = [turn(), turn()];
  node.say(create(), line, loud);
  node.log(create(), "debug", "maker.y", {}, loud);
  node.say(create("error"), line, quiet);
  assert.deepEqual(loud.out, [line]);
  assert.deepEqual(quiet.out, []);
});

const everything: Partial<MakerConfig> = {
  onion: onion.defaults, torControl: beside.torControl,
  updates: { ...defaults.updates, isOn: true, path: "/repos/a/b/releases/latest" },
};
const lite: esplora.Config = {
  ...esplora.defaults, network: "regtest", gapMax: 3,
  branches: watch.map(({ mixdepth, branch }) => ({ mixdepth, branch })),
};
const backends: readonly [string, Partial<MakerConfig>][] = [
  ["a node", everything],
  ["an Esplora server", { ...everything, bitcoind: undefined, esplora: lite }],
];

/** Through directories and directly, with a signature and without. */
function talk(r: rig.Rig): void {
  const [far, near] = [takers.taker(1), takers.taker(2)];
  takers.join(r, far, rig.nameOf(0));
  takers.publish(r, far, rig.nameOf(0), "orderbook");
  takers.whisper(r, far, rig.nameOf(0), takers.line(far, "fill", "0 1000000 ab cd"));
  const guest = takers.visit(r, near);
  const { types } = envelope;
  rig.say(r, guest, envelope.encode(types.PUBMSG, `${near.nick}!PUBLIC!orderbook`));
  rig.say(r, guest, envelope.encode(types.PRIVMSG, takers.line(near, "fill", "0 1 2 3")));
}

for (const [name, config] of backends) {
  test(`maker: node: with every part and ${name} the state is plain to its leaves`, () => {
    const [tor, server] = [beside.tor(), beside.esplora()];
    const r = rig.start({
      directories: 2, config, beside: (effect) => tor(effect) ?? server(effect),
    });
    const d = r.kernel.state;
    const plain = (): void => assert.equal(unplain(d), undefined);
    plain();
    for (let second = 0; second < 60; second += 1) {
      if (second === 20) talk(r);
      rig.pass(r, 1_000);
      plain();
    }
    chains.mine(r.chain);
    rig.cut(r, rig.nameOf(1));
    rig.pass(r, 1_800_000);
    plain();
    assert.equal(d.errands?.onion.at.phase, "up");
    assert.equal(d.errands.onion.standing.reach.isReachable, true);
    assert.equal(d.wallet.backend.state, "up");
    assert.equal(d.inbound.counts.identified, 1);
    assert.ok(d.signatures.size > 0 && r.rules.lines.length > 0, "something was on offer");
    rig.push(r, { type: "operator.stop" });
    plain();
    rig.pass(r, d.config.drainMs);
    assert.equal(r.isStopped, true);
    plain();
  });
}

test("maker: node: whatever is no plain data is found, however deep it lies", () => {
  const deep = (value: unknown): unknown => ({ a: [new Map([["k", new Set([value])]])] });
  for (const value of [() => 1, Symbol("x"), new Date(0), new DataView(new ArrayBuffer(1))]) {
    assert.equal(unplain(deep(value)), "state.a.0.0.1.0");
  }
  assert.equal(unplain({ get a() { return 1; } }), "state.a");
  for (const value of [1n, "x", undefined, new Uint16Array(2), Object.create(null)]) {
    assert.equal(unplain(deep(value)), undefined);
  }
});

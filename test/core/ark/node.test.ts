import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/ark/config.ts";
import * as nodes from "../../../core/ark/node.ts";
import type { LogLevel } from "../../../core/kernel/io.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as rig from "../../support/ark-fleet.ts";

function ark(logLevel: LogLevel): nodes.Ark {
  const config = { ...defaults, logLevel, wallets: ["a", "b"].map((name) => rig.plain(name)) };
  return nodes.create(config, prng.key("node"), mono(100));
}

function turn(ms: number): nodes.Turn {
  return { now: mono(ms), out: [], todo: [], touched: new Set() };
}

test("ark: node: each wallet has machines and chance of its own", () => {
  const { nodes: [a, b] } = ark("info");
  assert.notDeepEqual(a!.guardian.chance, b!.guardian.chance);
  const again = ark("info").nodes[0]!;
  assert.deepEqual(again.guardian.chance, a!.guardian.chance);
});

test("ark: node: a lane is made when it is first asked for, and a wallet must be there", () => {
  const d = ark("info");
  const a = nodes.named(d, "a");
  assert.equal(nodes.laneOf(a, "look"), nodes.laneOf(a, "look"));
  assert.throws(() => nodes.named(d, "nobody"));
});

test("ark: node: only what is to be heard is said, and a wallet's line names it", () => {
  const heard = (level: LogLevel): number => {
    const d = ark(level);
    const t = turn(100);
    for (const one of ["error", "warn", "info", "debug"] as const) nodes.log(d, one, "x", {}, t);
    return t.out.length;
  };
  assert.deepEqual((["error", "warn", "info", "debug"] as const).map(heard), [1, 2, 3, 4]);
  const d = ark("info");
  const t = turn(100);
  nodes.logOf(d, nodes.named(d, "a"), "info", "x", { n: 1 }, t);
  nodes.logOf(d, nodes.named(d, "a"), "debug", "x", { n: 1 }, t);
  assert.deepEqual(t.out, [
    { type: "log", level: "info", code: "x", fields: { wallet: "a", n: 1 } },
  ]);
});

test("ark: node: the wall time goes on from where it was told", () => {
  const d = ark("info");
  assert.equal(nodes.unixMsAt(d, mono(500)), 0);
  d.anchor = { unixMs: 1_000_000 };
  d.anchoredAt = mono(200);
  assert.equal(nodes.unixMsAt(d, mono(500)), 1_000_300);
});

/**
 * A maker that nobody has started, and what it says in its log.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as node from "../../../core/maker/node.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as rig from "../../support/maker.ts";
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

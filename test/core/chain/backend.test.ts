import assert from "node:assert/strict";
import { test } from "node:test";
import * as backend from "../../../core/chain/backend.ts";
import type { Effect } from "../../../core/chain/chain.ts";
import * as esplora from "../../../core/chain/esplora.ts";
import { mono } from "../../../core/time.ts";
import * as recorded from "../../support/bitcoind.ts";

const server: esplora.Config = {
  ...esplora.defaults, network: "regtest", branches: [{ mixdepth: 0, branch: 0 }],
};

function asked(b: backend.Backend): Effect[] {
  const out: Effect[] = [];
  backend.step(b, { type: "asked", token: 1, question: { ask: "tip" } }, mono(0), out);
  return out;
}

test("chain: backend: the one that is configured is asked; without any there is none", () => {
  assert.equal(backend.create(undefined, undefined), undefined);
  const node = backend.create(recorded.config, undefined);
  const other = backend.create(undefined, server);
  assert.ok(node !== undefined && other !== undefined, "both are there");
  const targets = [node, other].map((b) => asked(b).map((e) => (e.type === "request" ? e.to : "")));
  assert.deepEqual(targets, [["bitcoind"], ["esplora"]]);
});

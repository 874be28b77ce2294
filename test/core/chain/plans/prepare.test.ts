import assert from "node:assert/strict";
import { test } from "node:test";
import { write } from "../../../../core/chain/plans/mark.ts";
import { begin, resume, versionMin } from "../../../../core/chain/plans/prepare.ts";
import {
  ask, chainAt, config, error, quiet, reasonOf, resultOf, watch, type Node,
} from "../../../support/bitcoind.ts";

const prepare = (other: Node): ReturnType<typeof ask> =>
  ask({ ask: "prepare" }, { ...quiet, ...other });
const look = "/ getblockchaininfo,getnetworkinfo,listwallets,listwalletdir";
const read = "/wallet/watch getwalletinfo,listdescriptors,deriveaddresses";
const seen = "/wallet/watch getaddressinfo";

test("chain: prepare: a wallet that is ready is only looked at", () => {
  const { answer, sent } = prepare({});
  assert.deepEqual(answer, { ok: true, ask: "prepare", imported: 0, isScanned: false });
  assert.deepEqual(sent, [look, read, seen]);
});

test("chain: prepare: what was searched to the end is marked so", () => {
  const info = (isWhole: boolean): string => JSON.stringify({
    ismine: true, labels: [write(config, { from: 0, to: 130, isWhole })],
  });
  const scanned = (label: string): unknown => {
    const { answer } = prepare({ getaddressinfo: label });
    return answer.ok && answer.ask === "prepare" ? answer.isScanned : undefined;
  };
  assert.equal(scanned(info(true)), true);
  assert.equal(scanned(info(false)), false);
});

test("chain: prepare: a wallet that is missing is made, without keys, with all descriptors", () => {
  const made: unknown[] = [];
  const { answer, sent } = prepare({
    listwallets: "[]", listwalletdir: "{\"wallets\":[{\"name\":\"other\"}]}",
    createwallet: (...params) => {
      made.push(params);
      return resultOf("wallet", "createwallet watch-only, blank, descriptors");
    },
    listdescriptors: "{\"descriptors\":[]}",
    importdescriptors: (wanted) => {
      made.push(wanted);
      return resultOf("wallet", "importdescriptors with rescan from 0");
    },
  });
  assert.deepEqual(answer, { ok: true, ask: "prepare", imported: 4, isScanned: false });
  assert.deepEqual(sent, [
    look, "/ createwallet", read, "/wallet/watch importdescriptors", seen,
  ]);
  assert.deepEqual(made, [
    ["watch", true, true, "", false, true],
    watch.map(({ descriptor, branch }) => ({
      desc: descriptor, active: false, timestamp: "now", range: [0, 999], internal: branch === 1,
    })),
  ]);
});

test("chain: prepare: a wallet that is not loaded is loaded, whoever is faster", () => {
  const loading = (loadwallet: Node[string]): string => {
    const { answer, sent } = prepare({ listwallets: "[]", loadwallet: loadwallet! });
    assert.equal(sent[1], "/ loadwallet");
    return reasonOf(answer);
  };
  assert.equal(loading("{\"name\":\"watch\",\"warnings\":[]}"), "found prepare");
  assert.equal(loading(error(-35, "Wallet \"watch\" is already loaded.")), "found prepare");
  assert.equal(loading(error(-4, "Wallet already loading.")), "wallet-loading");
  assert.equal(loading(error(-4, "Wallet file verification failed.")), "wallet");
  const pruned = "Prune: last wallet synchronisation goes beyond pruned data.";
  assert.equal(loading(error(-4, pruned)), "pruned");
});

test("chain: prepare: a wallet that somebody made meanwhile is loaded", () => {
  const { answer, sent } = prepare({
    listwallets: "[]", listwalletdir: "{\"wallets\":[]}", loadwallet: "{}",
    createwallet: error(-4, "Failed to create database path. Database already exists."),
  });
  assert.equal(reasonOf(answer), "found prepare");
  assert.deepEqual(sent.slice(0, 3), [look, "/ createwallet", "/ loadwallet"]);
  const full = prepare({
    listwallets: "[]", listwalletdir: "{\"wallets\":[]}", createwallet: error(-4, "No space"),
  });
  assert.equal(reasonOf(full.answer), "wallet");
});

test("chain: prepare: descriptors that are missing or too short are imported, others not", () => {
  let wanted: readonly { desc: string }[] = [];
  const held = watch.map(({ descriptor }, i) => ({
    // As a node before 25.0 writes them.
    desc: descriptor.replace(/#.*/, "").replaceAll("h/", "'/").replace("0h]", "0']"),
    range: [0, i === 1 ? 99 : 999],
  })).slice(0, 3);
  const { answer } = prepare({
    listdescriptors: JSON.stringify({ descriptors: held }),
    importdescriptors: (list) => {
      wanted = list as typeof wanted;
      return "[{\"success\":true},{\"success\":true}]";
    },
  });
  assert.deepEqual(answer, { ok: true, ask: "prepare", imported: 2, isScanned: false });
  assert.deepEqual(wanted.map(({ desc }) => desc), [watch[1].descriptor, watch[3].descriptor]);
});

test("chain: prepare: a descriptor that is not taken is told by its number", () => {
  const imported = (said: Node[string]): string => reasonOf(prepare({
    listdescriptors: "{\"descriptors\":[]}", importdescriptors: said!,
  }).answer);
  const no = (code: number, message = ""): string => JSON.stringify([
    { success: false, error: { code, message } }, ...Array(3).fill({ success: true }),
  ]);
  assert.equal(imported(no(-5)), "wallet");
  assert.equal(imported(no(-4, "Wallet is currently rescanning.")), "rescanning");
  assert.equal(imported(error(-4, "Wallet is currently rescanning.")), "rescanning");
  assert.equal(imported("[{\"success\":true}]"), "nonsense");
  assert.equal(imported("{}"), "nonsense");
});

test("chain: prepare: the wrong network, too old a node, a wallet that can spend", () => {
  const reason = (other: Node): string => reasonOf(prepare(other).answer);
  const node = (version: number): string => JSON.stringify({ version, connections: 1 });
  assert.equal(reason({ getblockchaininfo: chainAt(1, { chain: "main" }) }), "wrong-network");
  assert.equal(reason({ getnetworkinfo: node(versionMin - 1) }), "too-old");
  assert.equal(reason({ getnetworkinfo: node(versionMin) }), "found prepare");
  const wallet = (keys: boolean, descriptors: boolean): Node => ({
    getwalletinfo: JSON.stringify({ private_keys_enabled: keys, descriptors, scanning: false }),
  });
  assert.equal(reason(wallet(true, true)), "wallet");
  assert.equal(reason(wallet(false, false)), "wallet");
  assert.equal(reason({ getaddressinfo: "{\"ismine\":false,\"labels\":[]}" }), "wallet");
});

test("chain: prepare: a node built without wallets, or starting, or talking nonsense", () => {
  const { listwallets: _, ...without } = quiet;
  assert.equal(reasonOf(ask({ ask: "prepare" }, without).answer), "too-old");
  for (const method of ["getblockchaininfo", "listwallets", "listwalletdir", "getnetworkinfo",
    "getwalletinfo", "listdescriptors", "deriveaddresses", "getaddressinfo"]) {
    assert.equal(reasonOf(prepare({ [method]: error(-28) }).answer), "warming-up", method);
    assert.equal(reasonOf(prepare({ [method]: "7" }).answer), "nonsense", method);
    assert.equal(reasonOf(prepare({ [method]: error(-1, "no") }).answer), "refused", method);
  }
});

test("chain: prepare: begin asks for nothing of a wallet", () => {
  const move = begin(config);
  assert.ok(move.type === "call" && !move.isWallet);
  assert.equal(resume(config, move.stage, []).type, "done");
});

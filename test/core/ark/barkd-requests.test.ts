import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/ark/barkd-config.ts";
import { requestOf } from "../../../core/ark/barkd-requests.ts";
import { isCuttable, names, type Op } from "../../../core/ark/wallet.ts";
import { InvariantError } from "../../../core/assert.ts";
import { idA, idB } from "../../support/barkd.ts";

const destination = "bcrt1qclaims0here";
const bare = { vtxos: [idA], since: undefined, destination, event: undefined };
const opOf = (name: string): Op => ({ op: name, ...bare }) as Op;
const asked = (op: Op): string => {
  const request = requestOf(defaults, op);
  return request === undefined ? "" : `${request.method} ${request.path} ${request.body}`.trim();
};

test("barkd: requests: what only a daemon inside the wallet can do has none", () => {
  const without = names.filter((name) => requestOf(defaults, opOf(name)) === undefined);
  assert.deepEqual([...without].sort(), [
    "fee-rates", "maintain", "progress-rounds", "refresh-server", "sync-boards", "sync-exits",
    "sync-offboards", "sync-rounds",
  ]);
});

test("barkd: requests: what may be given up is a GET, what works is a POST", () => {
  for (const name of names) {
    const request = requestOf(defaults, opOf(name));
    if (request === undefined) continue;
    assert.equal(request.method, isCuttable(name) ? "GET" : "POST", name);
    const kinds = request.headers.filter(([header]) => header === "content-type");
    assert.equal(kinds.length, request.body === "" ? 0 : 1, name);
  }
});

test("barkd: requests: calls that mislead or have side effects are never made", () => {
  const paths = names.map((name) => requestOf(defaults, opOf(name))?.path ?? "");
  const shunned = ["wallet/connected", "wallet/rounds", "wallet/refresh/vtxos", "refresh/all"];
  for (const path of shunned) assert.ok(!paths.some((one) => one.includes(path)), path);
});

test("barkd: requests: the table of operations", () => {
  const cases: readonly (readonly [Op, string])[] = [
    [{ op: "alive" }, "GET /ping"],
    [{ op: "identity" }, "GET /api/v1/wallet"],
    [{ op: "probe" }, "GET /api/v1/wallet/next-round"],
    [{ op: "tip" }, "GET /api/v1/bitcoin/tip"],
    [{ op: "exits" }, "GET /api/v1/exits/status/all"],
    [{ op: "pending" }, "GET /api/v1/history"],
    [{ op: "exit-fee", vtxos: [] }, "GET /api/v1/exits/fee"],
    [{ op: "exit-fee", vtxos: [idA, idB] }, `GET /api/v1/exits/fee?vtxo_ids=${idA},${idB}`],
    [{ op: "notifications", since: undefined }, "GET /api/v1/notifications/wait"],
    [{ op: "notifications", since: "2026-08-22T18:30:00+02:00" },
      "GET /api/v1/notifications/wait?since=2026-08-22T18%3A30%3A00%2B02%3A00"],
    [{ op: "sync" }, "POST /api/v1/wallet/sync"],
    [{ op: "sync-mailbox" }, "POST /api/v1/wallet/sync/mailbox"],
    [{ op: "progress-exits" }, "POST /api/v1/exits/progress {}"],
    [{ op: "refresh", vtxos: [idA] },
      `POST /api/v1/wallet/refresh/delegated/vtxos {"vtxos":["${idA}"]}`],
    [{ op: "exit", vtxos: [idB] }, `POST /api/v1/exits/start/vtxos {"vtxos":["${idB}"]}`],
    [{ op: "claim", vtxos: [idB], destination },
      `POST /api/v1/exits/claim/vtxos {"vtxos":["${idB}"],"destination":"${destination}"}`],
  ];
  for (const [op, expected] of cases) assert.equal(asked(op), expected);
});

test("barkd: requests: what cannot be asked is a mistake of the caller", () => {
  const many = Array.from({ length: defaults.askedMax + 1 }, (_, i) => `${idA.slice(0, 65)}${i}`);
  const atMost = many.slice(1);
  assert.notEqual(asked({ op: "exit", vtxos: atMost }), "");
  const wrong: readonly Op[] = [
    { op: "exit", vtxos: [] }, { op: "exit", vtxos: ["x"] }, { op: "exit", vtxos: [idA, idA] },
    { op: "exit", vtxos: many }, { op: "exit-fee", vtxos: [`${idA}&x=1`] },
    { op: "refresh", vtxos: [] },
    { op: "claim", vtxos: [idA], destination: "" }, { op: "notifications", since: "yesterday" },
  ];
  for (const op of wrong) assert.throws(() => asked(op), InvariantError);
});

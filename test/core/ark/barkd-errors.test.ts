import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/ark/barkd-config.ts";
import { notJson, odd, ofFailure, ofStatus } from "../../../core/ark/barkd-errors.ts";
import { isUndone } from "../../../core/ark/drive.ts";
import type { Answer, Op } from "../../../core/ark/wallet.ts";
import type { RequestFailure } from "../../../core/kernel/io.ts";
import { idA, idB, idC } from "../../support/barkd.ts";

const probe: Op = { op: "probe" };
const refresh: Op = { op: "refresh", vtxos: [idA, idB] };
const exit: Op = { op: "exit", vtxos: [idA, idB] };
const claim: Op = { op: "claim", vtxos: [idA], destination: "bcrt1qclaims" };

function shown(answer: Answer): string {
  if (answer.ok) return "done";
  switch (answer.why) {
    case "unavailable": return `${answer.reason} ${answer.fault.code}`;
    case "rejected":
      return ["rejected", answer.fault.code, ...answer.ids.map((id) => id[0])].join(" ");
    case "absent": case "unsupported": return answer.why;
  }
}

const says = (op: Op, status: number, message: string, more: object = {}): string => (
  shown(ofStatus(defaults, op, status, JSON.stringify({ message, ...more })))
);
const grpc = (kind: string, message: string): string => (
  `code: '${kind}', message: ${JSON.stringify(message)}`
);
const submitting = "Failed to store round participation: error submitting round participation"
  + " to server: ";
const invalid = "Client specified an invalid argument";

test("barkd: errors: statuses", () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [401, "{\"message\":\"no\"}", "auth barkd-unauthorized"], [401, "", "auth barkd-unauthorized"],
    [403, "", "auth barkd-forbidden"], [429, "", "busy barkd-busy"], [503, "", "busy barkd-busy"],
    [502, "<html>", "unreachable barkd-gateway"], [504, "", "unreachable barkd-gateway"],
    [405, "", "version barkd-path"], [404, "\"path not found: x\"", "version barkd-path"],
    [404, "<html>", "malformed barkd-html"], [404, "", "malformed barkd-empty"],
    [500, "Internal Server Error", "malformed barkd-json"], [500, "{}", "malformed barkd-shape"],
    [500, "{\"message\":5}", "malformed barkd-shape"], [422, "cut {", "version barkd-body"],
    [400, "{\"message\":\"x", "malformed barkd-json"], [302, "", "malformed barkd-status"],
    [204, "", "malformed barkd-status"], [0, "", "malformed barkd-status"],
  ];
  for (const [status, body, expected] of cases) {
    assert.equal(shown(ofStatus(defaults, probe, status, body)), expected, `${status} ${body}`);
  }
});

test("barkd: errors: only what came late may be missing", () => {
  const body = "\"path not found: \"";
  const fee: Op = { op: "exit-fee", vtxos: [] };
  assert.equal(shown(ofStatus(defaults, fee, 404, body)), "unsupported");
  assert.equal(shown(ofStatus(defaults, refresh, 404, body)), "version barkd-path");
});

test("barkd: errors: no reply at all", () => {
  const cases: readonly (readonly [RequestFailure, string])[] = [
    ["refused", "unreachable barkd-refused"], ["unreachable", "unreachable barkd-unreachable"],
    ["reset", "unreachable barkd-reset"], ["denied", "unreachable barkd-denied"],
    ["timeout", "timeout barkd-timeout"], ["too-large", "malformed barkd-too-large"],
    ["malformed", "malformed barkd-malformed"],
  ];
  for (const [failure, expected] of cases) assert.equal(shown(ofFailure(failure)), expected);
});

test("barkd: errors: a barkd without a wallet, or half of one", () => {
  assert.equal(says(probe, 422, "No wallet set"), "no-wallet barkd-no-wallet");
  assert.equal(says(probe, 422, "No onchain wallet configured"), "other barkd-no-onchain");
  assert.equal(says(probe, 422, "something else"), "other barkd-422");
});

test("barkd: errors: between the wallet and its server", () => {
  const failed = "Failed to connect to Ark server: ";
  const cases: readonly (readonly [string, string])[] = [
    ["Server public key has changed. You should leave!", "server-key barkd-server-key"],
    ["Server mailbox public key has changed.", "server-key barkd-server-key"],
    [`${failed}version mismatch. Client max is: 5, server min is: 9`,
      "version barkd-server-version"],
    [`${failed}network mismatch. Expected: regtest, Got: signet`, "network barkd-server-network"],
    [`${failed}transport error: tcp connect error`, "server-down barkd-server-down"],
    [`${failed}handshake request failed: ${grpc("Internal error", "x")}`,
      "server-down barkd-server-down"],
    [`${failed}invalid ark info from ark server: x`, "server-down barkd-server-nonsense"],
    [grpc("The service is currently unavailable", "x"), "server-down barkd-server-down"],
    [grpc("The operation was cancelled", "Timeout expired"), "server-down barkd-server-down"],
    [grpc("Deadline expired before operation could complete", ""), "server-down barkd-server-down"],
    [grpc("Internal error", "internal error"), "server-down barkd-server-failed"],
    [grpc("Some resource has been exhausted", "x"), "server-down barkd-server-busy"],
    [grpc("Operation is not implemented or not supported", ""), "version barkd-server-version"],
    [grpc(invalid, "Your client version is too old, come back"), "version barkd-server-version"],
    [grpc("A kind of its own", "x"), "other barkd-500"],
    ["database is locked", "other barkd-locked"], ["all is lost", "other barkd-500"],
  ];
  for (const [message, expected] of cases) {
    assert.equal(says(probe, 500, message), expected, message);
  }
  const clock = grpc(invalid, "mailbox authorization expired");
  assert.equal(says({ op: "sync-mailbox" }, 500, `failed: ${clock}`), "other barkd-clock");
  const never = says({ op: "ark-info" }, 404, "Wallet not connected to an Ark server");
  assert.equal(never, "server-down barkd-never-connected");
});

test("barkd: errors: only a door that stays shut proves that nothing was done", () => {
  const exhausted = grpc("Some resource has been exhausted", "x");
  for (const op of [refresh, exit, claim]) {
    for (const message of ["database is locked", "already in progress", submitting + exhausted]) {
      const answer = ofStatus(defaults, op, 500, JSON.stringify({ message }));
      assert.ok(!answer.ok && answer.why === "unavailable");
      assert.ok(!isUndone(answer.reason), message);
    }
    for (const status of [429, 503]) {
      const answer = ofStatus(defaults, op, status, "");
      assert.ok(!answer.ok && answer.why === "unavailable" && isUndone(answer.reason));
    }
  }
});

test("barkd: errors: a server cannot speak for the wallet", () => {
  for (const kind of ["Internal error", "Unknown error"]) {
    const message = grpc(kind, "Server public key has changed. \" network mismatch");
    assert.equal(says(probe, 500, message), "server-down barkd-server-failed");
  }
  const dust = grpc("Internal error", "vtxo amount must be at least 330 sat");
  assert.equal(says(refresh, 500, submitting + dust), "server-down barkd-server-failed");
});

test("barkd: errors: the wallet's chain source", () => {
  const messages = [
    "chain source error: x", "error syncing on-chain wallet: x", "Tip Retrieval Failure: x",
    "Reqwest(reqwest::Error { kind: Request })", "HttpResponse { status: 500 }",
    "Parsing(ParseIntError { kind: InvalidDigit })",
  ];
  for (const message of messages) {
    assert.equal(says({ op: "progress-exits" }, 500, message), "chain barkd-chain", message);
  }
  assert.equal(says({ op: "tip" }, 500, "anything"), "chain barkd-chain");
  assert.equal(says({ op: "sync-onchain" }, 500, "anything"), "chain barkd-chain");
  assert.equal(says({ op: "balance" }, 500, "anything"), "other barkd-500");
  const funds = "Insufficient Confirmed Funds: 5 is needed but only 1 is available";
  assert.equal(says({ op: "progress-exits" }, 500, funds), "other barkd-funds");
});

test("barkd: errors: a refresh that is refused, with the coins that are the reason", () => {
  const unusable = (...ids: string[]): string => (
    submitting + grpc(invalid, `unusable inputs: [${ids.join(",")}]: bad`)
  );
  const missing = (id: string): string => (
    `Failed to store round participation: vtxo with id ${id} not found`
  );
  const cases: readonly (readonly [string, string])[] = [
    [unusable(idB), "rejected barkd-refused b"], [unusable(idA, idB), "rejected barkd-refused a b"],
    [unusable(idC), "rejected barkd-refused"],
    [submitting + grpc("Some requested entity was not found", "x"), "rejected barkd-refused"],
    [submitting + grpc("The service is currently unavailable", `[${idA}]`),
      "server-down barkd-server-down"],
    [submitting + grpc("Unknown error", `unusable inputs: [${idA}]`),
      "server-down barkd-server-failed"],
    [missing(idB), "rejected barkd-unknown-vtxo b"], [missing(idC), "other barkd-500"],
    ["vtxo amount must be at least 0.00000330 BTC", "rejected barkd-dust"],
    ["Fee (5 BTC) exceeds amount (1 BTC)", "rejected barkd-dust"],
    ["Failed to store round participation: Reqwest(x)", "chain barkd-chain"],
    ["Failed to store round participation: oh", "other barkd-500"],
  ];
  for (const [message, expected] of cases) {
    assert.equal(says(refresh, 500, message), expected, message);
  }
  const alone: Op = { op: "refresh", vtxos: [idA] };
  assert.equal(says(alone, 500, missing(idA)), "absent");
  assert.equal(says(refresh, 400, "bad request: No VTXOs to refresh"), "rejected barkd-nothing");
});

test("barkd: errors: not found is a fact only as the wallet's own finding", () => {
  const found = (id: string): string => (
    `not found [resources=${id}]: VTXO not found: The VTXO with id ${id} cannot be found`
  );
  assert.equal(says(claim, 404, found(idA), { resources: [idA] }), "absent");
  assert.equal(says(exit, 404, found(idB), { resources: [idB] }), "rejected barkd-unknown-vtxo b");
  const notLooked = `not found: VTXO not found: Error when querying vtxo ${idA} in database`;
  assert.equal(says(claim, 404, notLooked, { resources: [idA] }), "other barkd-404");
  assert.equal(says(claim, 404, found(idC), { resources: [idC] }), "other barkd-404");
  assert.equal(says(claim, 404, found(idA)), "other barkd-404");
  assert.equal(says({ op: "vtxos" }, 404, "x", { resources: "y" }), "other barkd-404");
});

test("barkd: errors: exits and claims that are refused, and those that are too early", () => {
  const dust = `Failed to start exit for VTXOs: Dust Limit Error: for vtxo ${idB}`;
  assert.equal(says(exit, 500, dust), "rejected barkd-no-exit b");
  assert.equal(says(exit, 500, "Failed to start exit: VTXO Already Exited: it"),
    "rejected barkd-no-exit");
  assert.equal(says(exit, 500, "Failed to start exit for VTXOs: hm"), "other barkd-500");
  assert.equal(says(claim, 400, `Unspendable VTXO provided: ${idA}`), "other barkd-not-claimable");
  assert.equal(says(claim, 500, "VTXO Not Spendable Error: x"), "other barkd-not-claimable");
  assert.equal(says(claim, 500, "Claim Fee Exceeds Output: x"), "other barkd-claim-fee");
  assert.equal(says(claim, 500, "failed to register claim tx"), "other barkd-500");
  for (const wrong of ["Invalid destination address", "not valid for configured network"]) {
    assert.equal(says(claim, 400, wrong), "rejected barkd-destination");
  }
  const fee: Op = { op: "exit-fee", vtxos: [idA] };
  assert.equal(says(fee, 400, `Provided VTXO ${idA} is dust`), "rejected barkd-no-exit a");
  assert.equal(says(fee, 400, "Fee rate too large"), "other barkd-400");
});

test("barkd: errors: what comes after the limit of a message is not looked at", () => {
  const config = { ...defaults, messageMax: 10 };
  const body = JSON.stringify({ message: "0123456789database is locked" });
  assert.equal(shown(ofStatus(config, probe, 500, body)), "other barkd-500");
  assert.equal(shown(ofStatus(defaults, probe, 500, body)), "other barkd-locked");
});

test("barkd: errors: bodies that had to be JSON", () => {
  assert.equal(shown(notJson(200, " \n<!doctype html>")), "malformed barkd-html");
  assert.equal(shown(notJson(200, "")), "malformed barkd-empty");
  assert.equal(shown(notJson(200, "{\"a\":")), "malformed barkd-json");
  assert.equal(shown(odd("code", "text")), "malformed code");
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { primitives } from "../../../adapters/primitives.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import * as greet from "../../../core/maker/greet.ts";
import { directoryId, identity, location } from "../../support/maker-link.ts";

const answer = (changes: object = {}): string => handshake.directoryHello({
  nick: identity.nick, network: "regtest", motd: "hi", features: ["nick_auth", "ping"],
  accepted: true, ...changes,
});
const read = (line: string, changes: Partial<greet.Identity> = {}, id?: string) =>
  greet.welcome(line, { ...identity, ...changes }, id);

test("maker: greet: says who we are, and promises a proof only where one can be given", () => {
  const features = (auth: greet.AuthMode, id: string | undefined): readonly string[] => {
    const me = { ...identity, auth, features: ["ping", "nick_auth"] };
    const hello = handshake.parsePeer(greet.introduction(me, id, location));
    assert.ok(hello.ok);
    assert.deepEqual(
      [hello.value.nick, hello.value.location, hello.value.network, hello.value.directory],
      [identity.nick, location, "regtest", false],
    );
    return hello.value.features;
  };
  assert.deepEqual(features("prefer", directoryId), ["nick_auth", "ping"]);
  assert.deepEqual(features("require", directoryId), ["nick_auth", "ping"]);
  assert.deepEqual(features("disabled", directoryId), ["ping"]);
  assert.deepEqual(features("prefer", undefined), ["ping"]);
});

test("maker: greet: every refusal has its reason", () => {
  const why = (line: string, changes: Partial<greet.Identity> = {}, id?: string): string => {
    const out = read(line, changes, id);
    return out.ok ? `in, ${out.proves ? "to be proved" : "as it is"}` : out.why;
  };
  assert.equal(why(answer()), "in, as it is");
  assert.equal(why(answer(), {}, directoryId), "in, to be proved");
  assert.equal(why(answer({ features: [] }), {}, directoryId), "in, as it is");
  assert.equal(why(answer(), { auth: "disabled" }, directoryId), "in, as it is");
  assert.equal(why(answer(), { auth: "require" }, directoryId), "in, to be proved");
  assert.equal(why(answer({ features: [] }), { auth: "require" }, directoryId), "auth-missing");
  assert.equal(why(answer(), { auth: "require" }), "auth-missing");
  assert.equal(why(answer({ accepted: false })), "refused");
  assert.equal(why(answer({ network: "mainnet" })), "network");
  assert.equal(why(answer().replace("\"proto-ver-min\": 5", "\"proto-ver-min\": 6")), "proto-ver");
  assert.equal(why(answer().replace("joinmarket", "monero")), "handshake");
  assert.equal(why(answer().replace("\"directory\": true", "\"directory\": false")), "handshake");
  for (const line of ["", "{}", "[]", "x", answer().slice(1)]) assert.equal(why(line), "handshake");
});

test("maker: greet: regtest is called testnet by deployed directories", () => {
  assert.ok(read(answer({ network: "testnet" })).ok);
});

test("maker: greet: what a directory says of itself is kept, and bounded", () => {
  const long = read(answer({ motd: "m".repeat(5_000) }));
  assert.ok(long.ok && long.motd.length === greet.motdLengthMax);
  const no = read(answer({ accepted: false, motd: "full" }));
  assert.deepEqual(no, { ok: false, why: "refused", says: "full" });
});

const vector = JSON.parse(
  fs.readFileSync("test/vectors/joinmarket/nickauth.json", "utf8"),
) as nickauth.Claim;

test("maker: greet: a challenge is signed as the vector says, hashed twice", () => {
  const { challenge, directoryId: id, handshakeLine, nick, pubkey } = vector;
  const line = nickauth.challengeLine(challenge, id);
  const me = { ...identity, nick, pubkey };
  const asked = greet.challenge(line, handshakeLine, me, id, primitives.sha256);
  assert.ok(asked.ok);
  const inner = nickauth.digest(vector, primitives.sha256);
  assert.deepEqual(asked.digest, primitives.sha256(inner));
  assert.equal(nickauth.verify(vector, primitives), true);
});

test("maker: greet: a challenge for another directory is not answered", () => {
  const { sha256 } = primitives;
  const line = nickauth.challengeLine("22".repeat(32), "test:other");
  for (const id of [directoryId, undefined, "test:othe"]) {
    const asked = greet.challenge(line, "{}", identity, id, sha256);
    assert.deepEqual(asked, { ok: false, why: "auth-directory", says: "" });
  }
  fc.assert(fc.property(fc.string(), (text) => {
    const asked = greet.challenge(text, "{}", identity, directoryId, sha256);
    assert.ok(!asked.ok && asked.why === "auth-malformed");
  }), { numRuns: 50 });
});

test("maker: greet: only ok lets us in", () => {
  assert.deepEqual(greet.verdict(nickauth.resultLine("ok")), { ok: true });
  for (const code of ["malformed", "expired", "invalid", "policy"] as const) {
    const no = { ok: false, why: "auth-refused", says: code };
    assert.deepEqual(greet.verdict(nickauth.resultLine(code)), no);
  }
  const odd = greet.verdict("{\"code\":\"ok\",\"verified\":false}");
  assert.ok(!odd.ok && odd.why === "auth-malformed");
});

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { text, unhex } from "../../../core/bytes.ts";
import { secret } from "../../../core/secret.ts";
import * as auth from "../../../core/tor/auth.ts";
import { primitives } from "../../support/primitives.ts";

const { sha256 } = primitives;
const good = (...lines: string[]): { code: number; lines: string[] } => ({ code: 250, lines });
const size32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("tor: auth: HMAC is that of RFC 4231, and of node's own for any key", () => {
  const key = new Uint8Array(20).fill(0x0b);
  const due = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
  const hi = Uint8Array.of(0x48, 0x69, 0x20, 0x54, 0x68, 0x65, 0x72, 0x65);
  assert.deepEqual(auth.hmac(sha256, key, hi), unhex(due));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 140 }), fc.uint8Array(), (k, message) => {
    const theirs = createHmac("sha256", k).update(message).digest();
    assert.deepEqual(auth.hmac(sha256, k, message), new Uint8Array(theirs));
  }), { numRuns: 50 });
});

test("tor: auth: both hashes are over cookie and nonces, and differ", () => {
  fc.assert(fc.property(size32, size32, size32, (cookie, ours, theirs) => {
    const message = Buffer.concat([cookie, ours, theirs]);
    const due = (way: string): Uint8Array => new Uint8Array(
      createHmac("sha256", `Tor safe cookie authentication ${way} hash`).update(message).digest(),
    );
    const server = auth.serverHash(secret(cookie), ours, theirs, sha256);
    const client = auth.clientHash(secret(cookie), ours, theirs, sha256);
    assert.deepEqual(server, due("server-to-controller"));
    assert.deepEqual(client, due("controller-to-server"));
    assert.ok(!auth.isSame(server, client));
  }), { numRuns: 30 });
});

test("tor: auth: sameness looks at every byte", () => {
  fc.assert(fc.property(size32, fc.nat(31), fc.integer({ min: 1, max: 255 }), (a, at, by) => {
    const b = a.slice();
    assert.ok(auth.isSame(a, b));
    b[at] = (b[at] as number) ^ by;
    assert.ok(!auth.isSame(a, b));
  }));
  assert.ok(!auth.isSame(new Uint8Array(1), new Uint8Array(2)));
});

test("tor: auth: what Tor 0.4.9 says of itself is read", () => {
  const said = auth.introduction(good(
    "PROTOCOLINFO 1", 'AUTH METHODS=COOKIE,SAFECOOKIE,HASHEDPASSWORD COOKIEFILE="/run/tor/a \\"b"',
    'VERSION Tor="0.4.9.11"', "OK",
  ));
  assert.deepEqual(said, {
    ok: true,
    value: {
      methods: ["COOKIE", "SAFECOOKIE", "HASHEDPASSWORD"], cookieFile: '/run/tor/a "b',
      version: "0.4.9.11",
    },
  });
  const open = auth.introduction(good("PROTOCOLINFO 1", "AUTH METHODS=NULL", "OK"));
  assert.deepEqual(open.ok && open.value, {
    methods: ["NULL"], cookieFile: undefined, version: "",
  });
});

test("tor: auth: an introduction without methods or with a broken path is a fault", () => {
  const codeOf = (said: ReturnType<typeof auth.introduction>): string =>
    said.ok ? "ok" : said.fault.code;
  assert.equal(codeOf(auth.introduction({ code: 510, lines: ["no"] })), "control-introduction");
  assert.equal(codeOf(auth.introduction(good("OK"))), "control-introduction");
  assert.equal(codeOf(auth.introduction(good("AUTH X=1"))), "control-introduction");
  const broken = auth.introduction(good('AUTH METHODS=COOKIE COOKIEFILE="/x'));
  assert.equal(codeOf(broken), "control-quoted");
});

test("tor: auth: who has a password uses it, a cookie is shown to nobody if possible", () => {
  const all = ["NULL", "COOKIE", "SAFECOOKIE", "HASHEDPASSWORD"];
  assert.equal(auth.choose(all, true), "HASHEDPASSWORD");
  assert.equal(auth.choose(all, false), "NULL");
  assert.equal(auth.choose(["COOKIE", "SAFECOOKIE"], false), "SAFECOOKIE");
  assert.equal(auth.choose(["COOKIE", "HASHEDPASSWORD"], false), "COOKIE");
  assert.equal(auth.choose(["HASHEDPASSWORD"], false), undefined);
  assert.equal(auth.choose(["SAFECOOKIE"], true), undefined);
});

test("tor: auth: a challenge is two times 32 bytes, or a fault", () => {
  const line = `AUTHCHALLENGE SERVERHASH=${"A1".repeat(32)} SERVERNONCE=${"0f".repeat(32)}`;
  const read = auth.challenge(good(line));
  assert.deepEqual(read.ok && [read.value.serverHash[31], read.value.serverNonce[0]], [0xa1, 15]);
  for (const bad of [line.slice(1), `${line}0`, line.replace("A1", "G1"), ""]) {
    assert.equal(auth.challenge(good(bad)).ok, false, bad);
  }
  assert.equal(auth.challenge({ code: 513, lines: [line] }).ok, false);
  assert.equal(auth.challenge({ code: 250, lines: [] }).ok, false);
});

test("tor: auth: a proof goes as hex, so that no byte of it needs an escape", () => {
  const say = (proof: Uint8Array): string => text(auth.authenticate(proof).secret);
  assert.equal(say(Uint8Array.of(0x22, 0x5c, 0x0d, 0x0a, 0xff)), "AUTHENTICATE 225c0d0aff");
  assert.equal(say(new Uint8Array(0)), "AUTHENTICATE");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, concat, text } from "../../../core/bytes.ts";
import { secret } from "../../../core/secret.ts";
import * as service from "../../../core/tor/service.ts";
import { primitives } from "../../support/primitives.ts";
import { hostOf } from "../../support/tor.ts";

const { sha3 } = primitives;
const config: service.Config = { ...service.defaults, target: "127.0.0.1:5300" };
const blob = Buffer.alloc(64, 5).toString("base64");
const host = hostOf(new Uint8Array(32).fill(1));
const other = hostOf(new Uint8Array(32).fill(2));
const kept = { key: secret(ascii(`ED25519-V3:${blob}`)), host };
const id = host.slice(0, 56);
const good = (...lines: string[]): { code: number; lines: string[] } => ({ code: 250, lines });

test("tor: service: ADD_ONION for a new key and a kept one, with and without guards", () => {
  const say = (c: service.Config, k: service.Kept | undefined, isPow: boolean): string =>
    text(service.add(c, k, isPow).secret);
  assert.equal(say(config, undefined, true), "ADD_ONION NEW:ED25519-V3 "
    + "Flags=MaxStreamsCloseCircuit MaxStreams=64 PoWDefensesEnabled=1 PoWQueueRate=25 "
    + "PoWQueueBurst=250 Port=5222,127.0.0.1:5300");
  assert.equal(
    say({ ...config, streamsMax: 0, target: "unix:/run/x" }, kept, false),
    `ADD_ONION ED25519-V3:${blob} Port=5222,unix:/run/x`,
  );
  assert.equal(text(service.remove(host).secret), `DEL_ONION ${id}`);
});

test("tor: service: a configuration that could end a command early is refused", () => {
  const wrong: readonly Partial<service.Config>[] = [
    { port: 0 }, { port: 65_536 }, { port: 1.5 }, { target: "" }, { target: "a b" },
    { target: "a\nQUIT" }, { target: "a,b" }, { target: "a\"" }, { streamsMax: -1 },
    { streamsMax: 65_536 }, { powQueueRate: -1 }, { powQueueRate: 10, powQueueBurst: 9 },
    { powQueueBurst: 2 ** 32 }, { streamsMax: 0.5 }, { powQueueRate: 0.5 },
    { powQueueBurst: 250.5 },
  ];
  for (const part of wrong) {
    assert.throws(() => service.assertConfig({ ...config, ...part }), /onion:/);
  }
  service.assertConfig({ ...config, port: 65_535, streamsMax: 65_535, powQueueBurst: 2 ** 32 - 1 });
});

test("tor: service: the answer to ADD_ONION is checked before it is believed", () => {
  const read = (k: service.Kept | undefined, ...lines: string[]): unknown => {
    const added = service.added(good(...lines), config, k, sha3);
    return added.ok ? [text(added.value.key.secret), added.value.host] : added.fault.code;
  };
  const name = `ServiceID=${id}`;
  const key = `PrivateKey=ED25519-V3:${blob}`;
  assert.deepEqual(read(undefined, name, key, "OK"), [`ED25519-V3:${blob}`, host]);
  assert.deepEqual(read(kept, name, "OK"), [`ED25519-V3:${blob}`, host]);
  assert.deepEqual(read({ ...kept, host: undefined }, name), [`ED25519-V3:${blob}`, host]);
  const wrongs: readonly (readonly string[])[] = [
    [key], [name], [`ServiceID=${id.slice(1)}`, key], [`ServiceID=z${id.slice(1)}`, key],
    [name, "PrivateKey=RSA1024:AAAA"], [name, `${key}=`], [name, `PrivateKey=ED25519-V3:${blob} x`],
  ];
  for (const lines of wrongs) assert.equal(read(undefined, ...lines), "onion-answer", lines[0]);
  assert.equal(read({ ...kept, host: other }, name), "onion-answer");
});

test("tor: service: listed alone or among others; an answer that cannot tell is a yes", () => {
  assert.ok(service.isListed(good(`onions/current=${id}`, "OK"), host));
  assert.ok(service.isListed(good(`onions/current=\nx\n${id}`, "OK"), host));
  assert.ok(!service.isListed(good("onions/current=", "OK"), host));
  assert.ok(!service.isListed(good(`onions/current=${other.slice(0, 56)}`), host));
  assert.ok(service.isListed({ code: 552, lines: ["Unrecognized key"] }, host));
});

test("tor: service: how far Tor is, and when a descriptor is up", () => {
  const phase = "status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=45 TAG=x SUMMARY=\"y\"";
  assert.equal(service.progress(good(phase, "OK")), 45);
  assert.equal(service.progress(good("OK")), undefined);
  assert.ok(service.isUploaded([`HS_DESC UPLOADED ${id} UNKNOWN $AB~c`], host));
  assert.ok(!service.isUploaded([`HS_DESC UPLOAD ${id} UNKNOWN $AB~c`], host));
  assert.ok(!service.isUploaded([`HS_DESC UPLOADED ${other.slice(0, 56)} UNKNOWN x`], host));
});

test("tor: service: a kept key is read back as it was written", () => {
  const file = service.encode(kept);
  assert.ok(file.secret.length < service.fileBytesMax);
  assert.deepEqual(service.decode(file, sha3), { ok: true, value: kept });
});

test("tor: service: a bare key and Tor's own file are keys, their address is not known yet", () => {
  const bare = { ok: true, value: { key: kept.key, host: undefined } };
  assert.deepEqual(service.decode(secret(ascii(`ED25519-V3:${blob}\r\n`)), sha3), bare);
  const title = new Uint8Array(32);
  title.set(ascii("== ed25519v1-secret: type0 =="));
  const file = secret(concat([title, new Uint8Array(64).fill(5)]));
  assert.deepEqual(service.decode(file, sha3), bare);
});

test("tor: service: a damaged file is a fault and never half a key", () => {
  const wrong = [
    "", "x", `ED25519-V3:${blob.slice(4)}`, `ED25519-V3:${blob}\n${other.slice(1)}`,
    `ED25519-V3:${blob}\n${host.toUpperCase()}`, `ED25519-V3:${blob}\n${host}\nmore`,
    `RSA1024:${blob}`, " ".repeat(service.fileBytesMax + 1),
  ];
  for (const words of wrong) {
    assert.equal(service.decode(secret(ascii(words)), sha3).ok, false, words);
  }
  assert.equal(service.decode(secret(new Uint8Array(96).fill(200)), sha3).ok, false);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.equal(service.decode(secret(bytes), sha3).ok, false);
  }));
});

test("tor: service: one changed character of the kept address is noticed", () => {
  const file = text(service.encode(kept).secret);
  const from = file.indexOf(host);
  fc.assert(fc.property(fc.nat(55), fc.constantFrom("a", "2", "z", "A", " "), (at, by) => {
    const changed = file.slice(0, from + at) + by + file.slice(from + at + 1);
    fc.pre(changed !== file);
    assert.equal(service.decode(secret(ascii(changed)), sha3).ok, false);
  }), { numRuns: 100 });
});

test("tor: service: a hostname file holds one checked address", () => {
  assert.deepEqual(service.hostname(`${host}\n`, sha3), { ok: true, value: host });
  assert.deepEqual(service.hostname(host, sha3), { ok: true, value: host });
  for (const words of ["", "\n", `${host}\n\n`, `${host} `, `z${host.slice(1)}`, "x.onion"]) {
    assert.equal(service.hostname(words, sha3).ok, false, words);
  }
});

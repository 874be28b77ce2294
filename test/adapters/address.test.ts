import assert from "node:assert/strict";
import test from "node:test";
import { addressText, isLoopback, listenFailure, parseAddress } from "../../adapters/address.ts";

test("adapters: address: what reads back", () => {
  for (const text of ["127.0.0.1:5222", "[::1]:0", "localhost:65535", "unix:/run/a b.sock"]) {
    const address = parseAddress(text);
    assert.ok(address !== undefined, text);
    assert.equal(addressText(address), text);
    assert.ok(isLoopback(address), text);
  }
});

test("adapters: address: what is refused", () => {
  const wrong = [
    "", "5222", ":5222", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "[::1]",
    "[x]:1", "::1:5222", "unix:", `unix:/${"x".repeat(107)}`, "unix:/a\0b", "a b:1", "http://x:1",
  ];
  for (const text of wrong) assert.equal(parseAddress(text), undefined, text);
});

test("adapters: address: what is of this machine only", () => {
  for (const host of ["0.0.0.0", "192.168.1.2", "127.evil.example", "::", "example.org"]) {
    assert.ok(!isLoopback({ kind: "tcp", host, port: 1 }), host);
  }
});

test("adapters: address: each failure of the system has words", () => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 80 } as const;
  const reasons = ["EADDRINUSE", "EACCES", "EPERM", "EADDRNOTAVAIL", "ENOENT", "EWHAT", undefined];
  assert.deepEqual(
    reasons.map((code) => listenFailure(address, { code }).reason),
    ["in-use", "denied", "denied", "unavailable", "unavailable", "other", "other"],
  );
});

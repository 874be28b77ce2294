import assert from "node:assert/strict";
import { test } from "node:test";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import { notServing } from "../../../core/joinmarket/onion.ts";
import { visit } from "../../../core/joinmarket/visit.ts";

const [nick, other] = ["J5aaaaaaaaaaaaaa", "J5bbbbbbbbbbbbbb"];
const { HANDSHAKE, PING } = envelope.types;

test("joinmarket: visit: a visitor says our nick, and only a peer of that nick is us", () => {
  const ours = visit("maker", nick, "regtest");
  const hello = ours.hello();
  const into = envelope.create();
  assert.equal(envelope.scan(hello, into), undefined);
  const said = handshake.parsePeer(envelope.content(hello, into));
  assert.ok(said.ok && said.value.nick === nick, "our nick");
  assert.equal(ours.isOurs(hello), true);
  assert.equal(visit("maker", other, "regtest").isOurs(hello), false, "a stranger");
  assert.equal(visit("directory", nick, "regtest").isOurs(hello), false, "no directory");
  const location = notServing;
  const peer = handshake.peerHello({ nick, network: "regtest", location, features: [] });
  assert.equal(ours.isOurs(envelope.encode(PING, peer)), false, "another type");
  for (const line of ["", "{}", "x"]) {
    assert.equal(ours.isOurs(envelope.encode(HANDSHAKE, line)), false, line);
  }
  assert.equal(ours.isOurs(new Uint8Array([1, 2, 3])), false, "no frame");
});

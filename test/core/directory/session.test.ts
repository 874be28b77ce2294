import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import { defaults } from "../../../core/directory/config.ts";
import * as heartbeat from "../../../core/directory/heartbeat.ts";
import * as registry from "../../../core/directory/registry.ts";
import * as session from "../../../core/directory/session.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as lines from "../../../core/joinmarket/lines.ts";
import * as outbox from "../../../core/outbox.ts";
import { mono } from "../../../core/time.ts";

const conn = 1 as ConnId;

function fresh(circuits: boolean): session.Session {
  const box = outbox.opened(outbox.create(defaults.outbox), conn);
  return session.create(conn, lines.create(), box, circuits);
}

const hello: session.Hello = {
  nick: "J5aaaaaaaaaaaaaa", location: "NOT-SERVING-ONION", maker: false, features: [],
  network: "mainnet", line: "{}",
};

function phaseOf(name: session.PhaseName): session.Phase {
  switch (name) {
    case "proxy": case "greeting": case "closing": return { phase: name };
    case "waiting": case "drawing": return { phase: name, hello };
    case "proving": return { phase: name, hello, challenge: "", directoryId: "" };
    case "registered": {
      const beats = heartbeat.create(defaults.heartbeat, mono(0));
      const peer = registry.add(registry.create(), {
        ...hello, conn, nickBytes: new Uint8Array(), pubkey: undefined,
      });
      return { phase: name, peer, beat: heartbeat.added(beats, conn, "mute", mono(0)) };
    }
    default: assert.fail();
  }
}

const names: readonly session.PhaseName[] = [
  "proxy", "greeting", "waiting", "drawing", "proving", "registered", "closing",
];

test("directory: session: it begins with the circuit where there are any, else greeting", () => {
  assert.equal(fresh(true).at.phase, "proxy");
  const s = fresh(false);
  assert.equal(s.at.phase, "greeting");
  assert.equal(s.pendingBytes, 0);
});

test("directory: session: exactly the changes in the table are possible", () => {
  const reasons = new Set(session.transitions.map(({ on }) => on));
  for (const from of names) {
    for (const to of names) {
      for (const on of reasons) {
        const s = fresh(false);
        s.at = phaseOf(from);
        const legal = session.transitions.some((t) =>
          t.on === on && t.to === to && (t.from === from || t.from === "*"));
        const change = () => session.move(s, on, phaseOf(to));
        if (legal) assert.doesNotThrow(change, `${from} ${on} ${to}`);
        else assert.throws(change, InvariantError, `${from} ${on} ${to}`);
        assert.equal(s.at.phase, legal ? to : from);
      }
    }
  }
});

test("directory: session: the circuit is named once", () => {
  const s = fresh(true);
  session.greet(s);
  assert.equal(s.at.phase, "greeting");
  assert.throws(() => session.greet(s), InvariantError);
});

test("directory: session: every phase can close, and again", () => {
  for (const name of names) {
    const s = fresh(false);
    s.at = phaseOf(name);
    const shaking = name !== "registered" && name !== "closing";
    assert.equal(session.isShaking(s), shaking, name);
    session.close(s);
    session.close(s);
    assert.equal(s.at.phase, "closing");
    assert.equal(session.isShaking(s), false);
  }
});

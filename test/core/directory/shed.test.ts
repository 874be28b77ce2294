import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/directory/config.ts";
import * as node from "../../../core/directory/node.ts";
import type { LogLevel } from "../../../core/kernel/io.ts";
import { mono } from "../../../core/time.ts";
import * as net from "../../support/directory.ts";
import { primitives } from "../../support/primitives.ts";

/** What the log says when a peer is ended for `reason`. */
function logged(reason: Parameters<typeof node.end>[2], logLevel: LogLevel): string[] {
  const n = net.start({ logLevel });
  const conn = net.join(n, net.maker(1));
  const d = n.drive.kernel.state;
  const s = d.sessions.byConn.get(conn);
  assert.ok(s !== undefined);
  const t: node.Turn = { now: mono(n.drive.now), p: primitives, out: [], outcomes: [] };
  node.end(d, s, reason, t);
  return t.out.flatMap((effect) => {
    if (effect.type !== "log") return [];
    const { level, code, fields } = effect;
    return [`${level} ${code} ${fields["conn"] === conn} ${fields["reason"]}`];
  });
}

test("directory: node: an operator hears of peers that were shed without asking for more", () => {
  assert.equal(defaults.logLevel, "info");
  for (const reason of ["outbox-full", "outbox-total", "slow-reader", "handshake-slots"] as const) {
    const shed = `info peer.shed true ${reason}`;
    assert.deepEqual(logged(reason, "info"), [shed]);
    assert.deepEqual(logged(reason, "debug"), [shed, `debug peer.ended true ${reason}`]);
    assert.deepEqual(logged(reason, "warn"), []);
  }
});

test("directory: node: other ends are for debugging; a flood has a line of its own", () => {
  for (const reason of ["flood", "line-too-long", "handshake-timeout", "pong-timeout"] as const) {
    assert.deepEqual(logged(reason, "info"), []);
    assert.deepEqual(logged(reason, "debug"), [`debug peer.ended true ${reason}`]);
  }
});

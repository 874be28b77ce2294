/**
 * What stands beside a maker's world when it is configured: Tor with its control port, and an
 * Esplora server instead of a node.
 * @module
 */
import assert from "node:assert/strict";
import { ascii, text } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import type { MakerEvent } from "../../core/maker/events.ts";
import { secret } from "../../core/secret.ts";
import { mine } from "../../sim/chain/blocks.ts";
import * as chains from "../../sim/chain/chain.ts";
import { answer } from "../../sim/chain/esplora.ts";
import { pay } from "../../sim/chain/till.ts";
import { watch } from "./bitcoind.ts";
import { nick, startedUnixMs, type Beside } from "./maker.ts";
import { fakeTor, talk } from "./tor.ts";

export const torControl = "127.0.0.1:9051";

/** A Tor that serves our onion, and visitors of which we are one. */
export function tor(): Beside {
  const service = fakeTor();
  let port = talk(service);
  /** Connections to the control port and to ourselves. */
  const conns = new Map<ConnId, "control" | "visit">();
  const dial = (conn: ConnId, to: string): readonly MakerEvent[] => {
    conns.set(conn, to === torControl ? "control" : "visit");
    if (to === torControl) port = talk(service);
    return [{ type: "conn.dialed", conn }];
  };
  return (effect) => {
    switch (effect.type) {
      case "conn.dial":
        return effect.isolation === "directory" ? undefined : dial(effect.conn, effect.to);
      case "conn.confide": {
        const { conn } = effect;
        const bytes = secret(ascii(port.say(text(effect.bytes.secret))));
        return [{ type: "conn.confided", conn, bytes }];
      }
      case "conn.send": {
        const { conn } = effect;
        return conns.has(conn) ? [{ type: "conn.received", conn, bytes: hello }] : undefined;
      }
      case "conn.close": {
        const { conn } = effect;
        return conns.delete(conn) ? [{ type: "conn.closed", conn, reason: "closed" }] : undefined;
      }
      case "cookie.want":
        return [{ type: "cookie.given", req: effect.req, cookie: secret(service.cookie) }];
      case "nonce.want":
        return [{ type: "nonce.given", req: effect.req, bytes: new Uint8Array(effect.size) }];
      case "key.load": return [{ type: "key.absent", req: effect.req }];
      case "key.save": return [{ type: "key.saved", req: effect.req }];
      case "req.start": case "req.drop": case "exec.start": case "sign.want": case "derive.want":
      case "store.load": case "store.append": case "store.sync": case "store.truncate":
      case "password.want": case "hostname.want": case "log": case "stopped": case "wake":
        return undefined;
    }
  };
}

const hello = envelope.encode(envelope.types.HANDSHAKE, handshake.peerHello({
  nick, network: "regtest", location: "NOT-SERVING-ONION", features: [],
}));

/** A server that knows one payment to us, and a host that derives our addresses. */
export function esplora(): Beside {
  const config = { ...chains.defaults, keypool: 25 };
  const chain = chains.create(config, startedUnixMs);
  mine(chain.ledger, 130, startedUnixMs);
  const address = (mixdepth: number, branch: number, index: number): string => {
    const at = watch.find((one) => one.mixdepth === mixdepth && one.branch === branch);
    assert.ok(at !== undefined, "a branch that is watched");
    return config.addressOf(at.descriptor, index);
  };
  assert.ok(pay(chain.ledger, address(0, 0, 0), 50_000_000n, startedUnixMs) !== undefined, "paid");
  mine(chain.ledger, 3, startedUnixMs);
  return (effect) => {
    if (effect.type === "derive.want") {
      const { req, mixdepth, branch, from, count } = effect;
      const addresses = Array.from({ length: count }, (_, i) => (
        address(mixdepth, branch, from + i)
      ));
      return [{ type: "derive.given", req, addresses }];
    }
    if (effect.type !== "req.start" || effect.to !== "esplora") return undefined;
    return [{ type: "req.done", req: effect.req, ...answer(chain, effect.path) }];
  };
}

/**
 * Signatures that were asked of the host, which has the nick's key.
 *
 * Rule 1: each is asked for once and waited for `talk.signMs`. What comes later is dropped; who
 * needs the signature then asks anew, so that a host that never answers holds nothing up for good.
 * @module
 */
import { after, NEVER, type Mono } from "../time.ts";
import type { Maker, Signing, Turn } from "./node.ts";

/** Asks for a signature over 32 bytes that are hashed already. */
export function want(d: Maker, signing: Signing, digest: Uint8Array, t: Turn): void {
  d.signs += 1;
  d.signing.set(d.signs, { signing, until: after(t.now, d.config.talk.signMs) });
  t.out.push({ type: "sign.want", req: d.signs, digest });
}

/** Whose the answer `req` is; nobody's if it comes too late. */
export function take(d: Maker, req: number): Signing | undefined {
  const wanted = d.signing.get(req);
  d.signing.delete(req);
  return wanted?.signing;
}

/** Removes and returns what has no answer in time. */
export function expired(d: Maker, now: Mono): readonly Signing[] {
  const late: Signing[] = [];
  for (const [req, { signing, until }] of d.signing) {
    if (until > now) break;
    d.signing.delete(req);
    late.push(signing);
  }
  return late;
}

/** When the oldest has taken too long; all wait equally long. */
export function deadline(d: Maker): Mono {
  for (const { until } of d.signing.values()) return until;
  return NEVER;
}

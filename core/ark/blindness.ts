/**
 * A guard that sees nothing tells so, whatever the reason is; and that it sees again.
 * @module
 */
import type { ArkLifeNotice } from "../notify/ark-life.ts";
import { after, NEVER, type Mono } from "../time.ts";

/** When everything was seen last, and whether it is told that it is not. */
export type Blindness = { seenAt: Mono; isUnseenTold: boolean };

type Out = {
  readonly push: (effect: {
    readonly type: "notice";
    readonly notice: Extract<ArkLifeNotice, { readonly kind: "ark-unseen" | "ark-seen" }>;
  }) => unknown;
};

/** When it is to be told, if nothing is seen before. */
export function deadline(m: Blindness, unseenMs: number): Mono {
  return m.isUnseenTold ? NEVER : after(m.seenAt, unseenMs);
}

/** `isFresh`: is everything seen now? Told after `unseenMs` without that, once. */
export function look(
  m: Blindness, wallet: string, unseenMs: number, isFresh: boolean, now: Mono, out: Out,
): void {
  const forMs = now - m.seenAt;
  if (isFresh) {
    if (m.isUnseenTold) out.push({ type: "notice", notice: { kind: "ark-seen", wallet, forMs } });
    m.isUnseenTold = false;
    m.seenAt = now;
  } else if (!m.isUnseenTold && forMs >= unseenMs) {
    m.isUnseenTold = true;
    out.push({ type: "notice", notice: { kind: "ark-unseen", wallet, forMs } });
  }
}

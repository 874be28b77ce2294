/**
 * Bugs of the Ark daemon's calls, streams and lanes, and of its waiting.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isArks = true as const;

export const arkLinks: readonly Mutant[] = [
  {
    id: "ark-dials-unpaced", aims: "A9", isArks,
    says: "wallets of one server dial it as they like",
    file: "core/ark/fleet.js",
    find: "    if (s.queue.size > 0 || now < s.openAt)\n        return false;\n    s.openAt",
    replace: "    s.openAt",
  },
  {
    id: "ark-exits-asleep", aims: "A8", isArks,
    says: "exits that are under way are looked after every nine hours",
    file: "core/ark/policy.js",
    find: "idle: { ms: 9 * minute, spreadMs: 2 * minute },",
    replace: "idle: { ms: 9 * hour, spreadMs: 2 * minute },",
    and: {
      file: "core/ark/exits.js",
      find: "m.isLive ? m.config.rota.rest : m.config.idle",
      replace: "m.config.idle",
    },
  },
  {
    id: "ark-mailbox-once", aims: "L6", isArks,
    says: "a mailbox that could not be read is not read again",
    file: "core/ark/mailbox.js",
    find: "        rest(m, retryMs, now);\n    }\n    if (m.isWanted)",
    replace: "        m.readAt = NEVER;\n    }\n    if (m.isWanted)",
  },
  {
    id: "ark-token-kept", aims: "L6", isArks,
    says: "a token that is refused is not read again",
    file: "core/ark/asking.js",
    find: "        node.isTokenDoubted = true;",
    replace: "        node.isTokenDoubted = false;",
  },
  {
    id: "ark-soonest-kept", aims: "X4", isArks,
    says: "that the soonest wallet is done is not noticed: its time stays the next",
    file: "core/ark/ark.js",
    find: "    if (!isLost)\n        return;",
    replace: "    if (d !== undefined)\n        return;",
  },
  {
    id: "ark-sync-once", aims: "L7", isArks,
    says: "after a pass there is no other one until something wakes",
    file: "core/ark/rota.js",
    find: "passAt: after(now, pause.restMs(m.rest, m.jitter)) };", replace: "passAt: NEVER };",
  },
  {
    id: "ark-question-without-end", aims: "A11", isArks,
    says: "a question that nobody answers is waited for",
    file: "core/ark/calls.js",
    find: "if (call.asker.who !== \"daemon\" && isCuttable(call.op.op)) {",
    replace: "if (false) {",
  },
  {
    id: "ark-probe-without-end", aims: "A11", isArks,
    says: "a lane of the background whose question hangs is not started again",
    file: "core/ark/lane.js",
    find: "    if (isDropped) {\n        out.push({ type: \"drop\", token });",
    replace: "    if (false) {\n        out.push({ type: \"drop\", token });",
  },
  {
    id: "ark-no-backoff", aims: "A9", isArks,
    says: "a stream that ends is opened again after a second, however often",
    file: "core/ark/stream.js",
    find: "const retryMs = isAtOnce ? 0 : pause.waitMs(m.config.wait, failures, m.jitter);",
    replace: "const retryMs = isAtOnce ? 0 : pause.waitMs(m.config.wait, 0, m.jitter);",
  },
  {
    id: "ark-trust-in-vain", aims: "L6", isArks,
    says: "a server stays barred though the operator has looked",
    file: "core/ark/daemon.js",
    find: "    bar(d, false, now, out);\n    ofProbe",
    replace: "    ofProbe",
    and: {
      file: "core/ark/facts.js",
      find: "m.isBarred = false;",
      replace: "m.isBarred = m.isBarred;",
    },
  },
];

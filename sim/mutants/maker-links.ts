/**
 * Bugs of our maker's connections to directories.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isMakers = true as const;

export const makerLinks: readonly Mutant[] = [
  {
    id: "maker-waits-do-not-grow", aims: "M2", isMakers,
    says: "every wait before a dial is the first one",
    file: "core/backoff.js", find: "ms = grown(c, ms);", replace: "ms = c.baseMs;",
  },
  {
    id: "maker-waits-from-nothing", aims: "M2", isMakers,
    says: "jitter goes down to nothing, so that what fails at once is dialled in a circle",
    file: "core/backoff.js", find: "lowMs: highMs - (highMs >> 1)", replace: "lowMs: 1",
  },
  {
    id: "maker-reset-by-connect", aims: "M2", isMakers,
    says: "a connection that opens counts as health, though nothing was heard",
    file: "core/maker/link.js", find: "    m.malformed = 0;\n    wire.put(",
    replace: "    m.malformed = 0;\n    retry.healthy(m.retry);\n    wire.put(",
  },
  {
    id: "maker-reset-by-welcome", aims: "M2", isMakers,
    says: "being let in counts as health, though the directory may close at once",
    file: "core/maker/link.js", find: "    wire.watched(w, now);",
    replace: "    wire.watched(w, now);\n    retry.healthy(m.retry);",
  },
  {
    id: "maker-spent-is-never", aims: "M5", isMakers,
    says: "once the retries are spent the next try is a day away",
    file: "core/maker/retry.js",
    find: "return { baseMs: c.spentMs, maxMs: c.spentMs, times: 1, per: 1 };",
    replace: "return { baseMs: 86400000, maxMs: 86400000, times: 1, per: 1 };",
  },
  {
    id: "maker-dials-in-turn", aims: "M5", isMakers,
    says: "at the start one directory is dialled, and the others when it has failed",
    file: "core/maker/pool.js",
    find: "    for (const slot of m.slots)\n        tell(m, slot, { type: \"started\",",
    replace:
      "    for (const slot of m.slots.slice(0, 1))\n        tell(m, slot, { type: \"started\",",
  },
  {
    id: "maker-handshake-goes-on", aims: "M3", isMakers,
    says: "whatever arrives puts the end of the handshake off",
    file: "core/maker/link.js", find: "    wire.heard(w, now);\n",
    replace: "    wire.heard(w, now);\n    if (m.at.phase !== \"up\" && \"dueAt\" in m.at)\n"
      + "        m.at = { ...m.at, dueAt: after(now, m.config.handshakeMs) };\n",
  },
  {
    id: "maker-handshake-without-end", aims: "M3", isMakers,
    says: "a handshake that is not answered is waited for without end",
    file: "core/maker/link.js", find: "const dueAt = after(now, m.config.handshakeMs);",
    replace: "const dueAt = NEVER;",
  },
  {
    id: "maker-dial-without-end", aims: "M3", isMakers,
    says: "a dial without an outcome is the system's business",
    file: "core/maker/link.js", find: "dueAt: after(now, m.config.dialMs)",
    replace: "dueAt: NEVER",
  },
  {
    id: "maker-silence-is-trusted", aims: "M4", isMakers,
    says: "a connection that the system calls open is never asked",
    file: "core/maker/wire.js", find: "if (!w.isWatched || !w.answersPing || isOpen(w))",
    replace: "if (w.isWatched)",
  },
  {
    id: "maker-no-answer-is-fine", aims: "M4", isMakers,
    says: "a PING that is not answered has no consequence",
    file: "core/maker/wire.js",
    find: "return isOpen(w) ? after(w.pingedAt, w.config.pongMs) : NEVER;",
    replace: "return NEVER;",
  },
  {
    id: "maker-asks-all-the-time", aims: "M4", isMakers,
    says: "silence is asked about every ten seconds",
    file: "core/maker/wire.js", find: "const idleAt = after(w.heardAt, w.config.idleMs);",
    replace: "const idleAt = after(w.heardAt, 10000);",
    and: {
      file: "core/maker/wire.js",
      find: "after(w.pingedAt, w.config.pingGapMs);", replace: "after(w.pingedAt, 10000);",
    },
  },
  {
    id: "maker-ping-is-ignored", aims: "M5", isMakers,
    says: "every second PING is answered",
    file: "core/maker/link.js", find: "case types.PING: return wire.put(w, PONG, out);",
    replace: "case types.PING: return (m.malformedTotal += 1) % 2 === 0 ? undefined\n" +
      "            : wire.put(w, PONG, out);",
  },
  {
    id: "maker-second-connection", aims: "M1", isMakers,
    says: "a connection that is given up is left open while the next one is dialled",
    file: "core/maker/link.js", find: "    if (isOurs)\n        out.push(",
    replace: "    if (isOurs && why !== \"no-pong\")\n        out.push(",
    and: {
      file: "core/maker/pool.js",
      find: "    assert(slot.conn === undefined, \"pool: two connections to one directory\");\n",
      replace: "",
    },
  },
  {
    id: "maker-all-down-again", aims: "M7", isMakers,
    says: "that all directories are down is told whenever anything happens meanwhile",
    file: "core/maker/pool.js", find: "    if (isDown === m.isAllDown)\n",
    replace: "    if (!isDown && !m.isAllDown)\n",
  },
  {
    id: "maker-outage-untold", aims: "M7", isMakers,
    says: "that all are down is told by those that never reached any",
    file: "core/maker/pool.js", find: "    if (isDown)\n        out.push(",
    replace: "    if (isDown && !m.wasReached)\n        out.push(",
  },
];

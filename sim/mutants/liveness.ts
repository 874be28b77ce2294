/**
 * Bugs of the heartbeat and of deadlines: who lives, and who is evicted when (D5 to D9).
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const liveness: readonly Mutant[] = [
  {
    id: "late-tick-shows-no-mercy", aims: "D5",
    says: "a tick that is late itself evicts peers whose answers wait to be read",
    file: "core/directory/heartbeat.js",
    find: "if (at < m.mercyUntil)",
    replace: "if (false)",
  },
  {
    id: "pause-counts-as-silence", aims: "D5",
    says: "time in which the node itself was stopped counts as silence of its peers",
    file: "core/directory/heartbeat.js",
    find: "m.pausedMs += lateMs;",
    replace: "m.pausedMs += 0;",
  },
  {
    id: "registration-is-no-life", aims: "D5",
    says: "a newcomer counts as silent since the node started",
    file: "core/directory/heartbeat.js",
    find: "index: gone, seenAt, pingedAt: none",
    replace: "index: gone, seenAt: m.originAt, pingedAt: none",
  },
  {
    id: "stuck-mark-survives-drain", aims: "D5",
    says: "a reader that was slow once is ended though it caught up",
    file: "core/outbox.js",
    find: "expiry.remove(m.stuck, box.conn);\n    if (box.queue === undefined)",
    replace: "if (box.queue === undefined)",
  },
  {
    id: "only-pong-saves", aims: "D6",
    says: "after a PING nothing but a PONG is taken for life",
    file: "core/directory/relay.js",
    find: "heartbeat.seen(d.heartbeat, beat, t.now);\n" +
      "    contest.seen(d.contest, s.conn, t.now, t.outcomes);\n" +
      "    const { asked, fault } = router.read(d.router, frame, peer.nickBytes);\n",
    replace: "contest.seen(d.contest, s.conn, t.now, t.outcomes);\n" +
      "    const { asked, fault } = router.read(d.router, frame, peer.nickBytes);\n" +
      `    if (asked === "pong" || beat.pingedAt < 0)\n` +
      "        heartbeat.seen(d.heartbeat, beat, t.now);\n",
  },
  {
    id: "pong-wait-delays-sweeps", aims: "D7",
    says: "nobody else is looked at while the answer to a PING is awaited",
    file: "core/directory/heartbeat.js",
    find: "return soonest(dueAt, latest(answerBy, after(at, 1)));",
    replace: "return latest(answerBy, after(at, 1));",
  },
  {
    id: "silent-taker-never-due", aims: "D7",
    says: "the timer of a peer that cannot be probed is missing",
    file: "core/directory/heartbeat.js",
    find: "return after(beat.seenAt, hardMs);",
    replace: "return NEVER;",
  },
  {
    id: "pong-deadline-missing", aims: "D7",
    says: "the end of the pong wait is no part of the deadline",
    file: "core/directory/heartbeat.js",
    find: "return soonest(dueAt, latest(answerBy, after(at, 1)));",
    replace: "return dueAt;",
  },
  {
    id: "heartbeat-not-in-deadline", aims: "D7",
    says: "the node's deadline leaves the heartbeat out",
    file: "core/directory/directory.js",
    find: "soonest(sessions.deadline(d.sessions), heartbeat.deadline(d.heartbeat))",
    replace: "sessions.deadline(d.sessions)",
  },
  {
    id: "silence-by-wall-clock", aims: "D8",
    says: "silence is measured by the wall clock, jumps and all",
    file: "core/directory/directory.js",
    find: "d.anchor = { unixMs };",
    replace: "if (d.anchor !== undefined) {\n" +
      "        d.heartbeat.pausedMs -= unixMs - (d.anchor.unixMs + t.now - d.anchoredAt);\n" +
      "        heartbeat.reloaded(d.heartbeat, d.config.heartbeat, t.now);\n" +
      "    }\n    d.anchor = { unixMs };",
  },
  {
    id: "pending-mark-survives-exit", aims: "D9",
    says: "a peer that goes while its PING is unanswered stays marked",
    file: "core/directory/heartbeat.js",
    find: "if (beat.pingedAt !== none)\n        settle(m, beat);\n    const { beats }",
    replace: "const { beats }",
  },
  {
    id: "pending-mark-never-cleared", aims: "D9",
    says: "no answer takes the mark of an unanswered PING away",
    file: "core/directory/heartbeat.js",
    find: "beat.seenAt = lived(m, now);\n    if (beat.pingedAt !== none)\n        settle(m, beat);",
    replace: "beat.seenAt = lived(m, now);",
  },
  {
    id: "heartbeat-hangs-on-close", aims: "heartbeat-hang",
    says: "a closed peer that does not take its last bytes stops the heartbeat for good",
    file: "core/directory/directory.js",
    find: "d.counts.totals.graceOver += 1;",
    replace: "d.counts.totals.graceOver += 1;\n                d.heartbeat.running = false;",
  },
  {
    id: "eviction-without-grace", aims: "stuck-eviction",
    says: "an ended peer that does not take its last bytes is never reset",
    file: "core/directory/sessions.js",
    find: "if (lingers)",
    replace: "if (false)",
  },
];

/**
 * Bugs against the contract of machines: purity, effects, wake-ups, bounds, secrets (X1 to X6).
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const machine: readonly Mutant[] = [
  {
    id: "wake-effect-reused", aims: "X1",
    says: "all wakes are one object that is changed each time",
    file: "core/kernel/kernel.js",
    find: `out.push({ type: "wake", at });`,
    replace: `rearm.wake ??= { type: "wake", at };\n` +
      "    rearm.wake.at = at;\n    out.push(rearm.wake);",
  },
  {
    id: "request-ids-outside-state", aims: "X1",
    says: "requests for random bytes are numbered outside the state of the machine",
    file: "core/directory/shake.js",
    find: "const req = d.nextReq;",
    replace: "const req = draw.last = (draw.last ?? 0) + 1;",
  },
  {
    id: "effect-nobody-knows", aims: "X2",
    says: "a reset is ordered under a name that no host knows",
    file: "core/directory/directory.js",
    find: `{ type: "conn.close", conn: s.conn, how: "abort", reason: "grace-over" }`,
    replace: `{ type: "conn.abort", conn: s.conn, reason: "grace-over" }`,
  },
  {
    id: "log-holds-a-peer", aims: "X2",
    says: "a log line holds the live record of the peer that it is about",
    file: "core/directory/directory.js",
    find: `"peer.evicted", { nick: s.at.peer.nick, reason: wish.reason }`,
    replace: `"peer.evicted", { nick: s.at.peer, reason: wish.reason }`,
  },
  {
    id: "recent-events-without-bound", aims: "X3",
    says: "the list of recent events grows for ever",
    file: "core/directory/node.js",
    find: "if (d.recent.length > recentMax)",
    replace: "if (false)",
  },
  {
    id: "later-wake-not-told", aims: "X4",
    says: "the host is told of an earlier wake and never of a later one",
    file: "core/kernel/kernel.js",
    find: "if (at === k.wakeAt)",
    replace: "if (at >= k.wakeAt)",
  },
  {
    id: "event-before-due-tick", aims: "X4",
    says: "an event acts before what was due before it",
    file: "core/kernel/kernel.js",
    find: "if (k.wakeAt <= now || k.steps === 1)\n        runDue(k, now, out);\n"
      + "    k.root.step(k.state, event, now, out);",
    replace: "k.root.step(k.state, event, now, out);\n    runDue(k, now, out);",
  },
  {
    id: "outbox-not-in-deadline", aims: "X4",
    says: "the node's deadline leaves the outbox out: lines wait until something else is due",
    file: "core/directory/directory.js",
    find: "soonest(contest.deadline(d.contest), outbox.deadline(d.outbox))",
    replace: "contest.deadline(d.contest)",
  },
  {
    id: "contest-not-in-deadline", aims: "X4",
    says: "the node's deadline leaves contests out: newcomers wait until something else is due",
    file: "core/directory/directory.js",
    find: "soonest(contest.deadline(d.contest), outbox.deadline(d.outbox))",
    replace: "outbox.deadline(d.outbox)",
  },
  {
    id: "secret-in-clear", aims: "X6",
    says: "traces write secrets like any other bytes",
    file: "core/kernel/canon.js",
    find: "if (isSecret(value)) {",
    replace: "if (false) {",
  },
  {
    id: "seal-without-key-is-open", aims: "X6",
    says: "where there is no key to seal with, the secret itself is written",
    file: "core/secret.js",
    find: `return "-";`,
    replace: `return Array.from(value.secret, (b) => b.toString(16).padStart(2, "0")).join("");`,
  },
];

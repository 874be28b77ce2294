/**
 * Bugs of queues: public lines, slow readers, bounds and wake-ups (D11, D12).
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const outgoing: readonly Mutant[] = [
  {
    id: "sender-hears-itself", aims: "D11",
    says: "a public line goes back to its sender too",
    file: "core/outbox.js",
    find: "if (sender !== undefined && sender.member)",
    replace: "if (false)",
  },
  {
    id: "congested-member-skipped", aims: "D11",
    says: "a peer that does not read just now misses public lines in silence",
    file: "core/outbox.js",
    find: "if (box.congested)\n            enqueue(m, box, batch, whole, out);",
    replace: "if (box.congested)\n            continue;",
  },
  {
    id: "overflow-drops-in-silence", aims: "D11",
    says: "what does not fit into a queue is left out and the connection goes on",
    file: "core/outbox.js",
    find: "if (box.queuedBytes + size > m.config.bytesMax)\n" +
      `        return overflow(m, box, "outbox-full", out);`,
    replace: "if (box.queuedBytes + size > m.config.bytesMax)\n        return;",
  },
  {
    id: "newcomer-hears-the-past", aims: "D11",
    says: "a newcomer is sent the lines that came before it in the same window",
    file: "core/outbox.js",
    find: "box.fromLine = m.log.length;",
    replace: "box.fromLine = 0;",
  },
  {
    id: "window-before-queue", aims: "D11",
    says: "new lines overtake those that wait in the queue",
    file: "core/outbox.js",
    find: "[...first, ...parts]",
    replace: "[...parts, ...first]",
  },
  {
    id: "private-overtakes-public", aims: "D11",
    says: "a private line overtakes the public ones of the same window",
    file: "core/outbox.js",
    find: "add(m, box, { at: m.log.length, bytes });\n    box.pieceBytes += bytes.length;",
    replace: "add(m, box, { at: box.fromLine, bytes });\n    box.pieceBytes += bytes.length;",
  },
  {
    id: "burst-beyond-the-window", aims: "burst",
    says: "a window holds 128 public lines; what comes beyond is lost",
    file: "core/outbox.js",
    find: "if (sender !== undefined && sender.member)",
    replace: "if (m.log.length >= 128)\n        return;\n" +
      "    if (sender !== undefined && sender.member)",
  },
  {
    id: "equal-lengths-share-bytes", aims: "D10",
    says: "queues of equal lengths are taken for equal and get each other's private lines",
    file: "core/backlog.js",
    find: "return entry.batch === other.batch && entry.bytes.length === other.bytes.length\n" +
      "            && entry.bytes.byteOffset === other.bytes.byteOffset;",
    replace: "return entry.bytes.length === other.bytes.length;",
  },
  {
    id: "stuck-peer-stalls-all", aims: "stall",
    says: "no window is written while any peer does not read",
    file: "core/outbox.js",
    find: "if (m.flushAt !== NEVER)",
    replace: "if (m.flushAt !== NEVER || m.stuck.due.size > 0)",
  },
  {
    id: "congestion-ignored", aims: "D12",
    says: "public lines are written to a connection that takes nothing",
    file: "core/outbox.js",
    find: "if (box.congested)\n            enqueue(m, box, batch, whole, out);\n        else\n",
    replace: "",
  },
  {
    id: "queue-without-bound", aims: "D12",
    says: "the queue of a peer that does not read has no bound",
    file: "core/outbox.js",
    find: "if (box.queuedBytes + size > m.config.bytesMax)\n" +
      `        return overflow(m, box, "outbox-full", out);`,
    replace: "",
  },
  {
    id: "slow-reader-never-ended", aims: "D12",
    says: "a peer that takes nothing for a minute keeps its connection",
    file: "core/outbox.js",
    find: `overflow(m, box, "slow-reader", out);`,
    replace: "continue;",
  },
  {
    id: "drained-queue-not-woken", aims: "D12",
    says: "a queue whose reader is back waits until someone else says something",
    file: "core/outbox.js",
    find: "m.touched.add(box);\n    arm(m, now);",
    replace: "m.touched.add(box);",
  },
  {
    id: "long-queue-forgotten", aims: "D12",
    says: "the rest of a long queue waits until someone else says something",
    file: "core/outbox.js",
    find: "if (m.touched.size > 0)",
    replace: "if (false)",
  },
  {
    id: "total-bound-hits-the-smallest", aims: "D12",
    says: "when all queues hold too much together, the one that holds least goes",
    file: "core/outbox.js",
    find: "return a.ownBytes < b.ownBytes ? b : a;",
    replace: "return a.ownBytes < b.ownBytes ? a : b;",
  },
  {
    id: "shared-batch-counted-each-time", aims: "X3",
    says: "a batch that many queues share is counted for each and given back once",
    file: "core/backlog.js",
    find: "if (batch.refs === 0)\n        l.totalBytes += batch.bytes.length;",
    replace: "l.totalBytes += batch.bytes.length;",
  },
  {
    id: "stuck-queue-polled", aims: "X5",
    says: "a queue that cannot be written is looked at every few milliseconds",
    file: "core/outbox.js",
    find: "if (box.queue !== undefined && !box.congested) {",
    replace: "if (box.queue !== undefined) {",
  },
];

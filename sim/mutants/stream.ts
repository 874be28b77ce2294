/**
 * Bugs of the byte stream and of what comes before registration (D15, D16).
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const stream: readonly Mutant[] = [
  {
    id: "split-terminator-keeps-cr", aims: "D15",
    says: "when CR and LF arrive apart the CR becomes a part of the line",
    file: "core/joinmarket/lines.js",
    find: "lf > 0 ? bytes[lf - 1] : partial[before - 1]",
    replace: "bytes[lf - 1]",
  },
  {
    id: "write-drops-half-line", aims: "split-line",
    says: "writing to a connection discards the line that it has begun to say",
    file: "core/directory/node.js",
    find: "d.counts.totals.bytesSent += wish.bytes.length;",
    replace: "d.counts.totals.bytesSent += wish.bytes.length;\n" +
      "                if (d.sessions.byConn.has(wish.conn))\n" +
      "                    d.sessions.byConn.get(wish.conn).lines.partialBytes = 0;",
  },
  {
    id: "line-limit-off-by-one", aims: "D15",
    says: "the longest line that is allowed is refused if it arrives in parts",
    file: "core/joinmarket/lines.js",
    find: "if (content > maxBytes)",
    replace: "if (content >= maxBytes)",
  },
  {
    id: "line-buffer-shared", aims: "X1",
    says: "lines that arrived in parts are all made in the same buffer",
    file: "core/joinmarket/lines.js",
    find: "const line = new Uint8Array(size + 2);\n    // The CR",
    replace: "const line = (joined.room ??= new Uint8Array(65_536)).subarray(0, size + 2);\n" +
      "    // The CR",
  },
  {
    id: "handshake-not-in-deadline", aims: "D16",
    says: "the handshake deadline is no part of the node's: it waits until something else is due",
    file: "core/directory/sessions.js",
    find: "soonest(expiry.deadline(m.shaking), expiry.deadline(m.unfinished))",
    replace: "expiry.deadline(m.unfinished)",
  },
  {
    id: "expiry-forgets-the-next", aims: "D16",
    says: "after one deadline has passed the next ones are forgotten",
    file: "core/expiry.js",
    find: "e.dueAtMin = dueAt;\n            break;",
    replace: "break;",
  },
  {
    id: "drip-renews-line-deadline", aims: "D16",
    says: "each byte of an unfinished line gives it a minute more",
    file: "core/directory/sessions.js",
    find: "else if (had === 0 || whole > 0) {",
    replace: "else {",
  },
  {
    id: "crowd-locks-newcomers-out", aims: "D16",
    says: "when too many connections are silent the newcomer goes, not the oldest of them",
    file: "core/directory/directory.js",
    find: "crowded(d, t);\n",
    replace: `node.end(d, s, "handshake-slots", t);\n`,
  },
  {
    id: "handshaking-without-bound", aims: "X3",
    says: "any number of connections may be without a handshake",
    file: "core/directory/directory.js",
    find: "if (d.sessions.shaking.due.size > d.config.handshakingMax)",
    replace: "if (false)",
  },
  {
    id: "unfinished-lines-without-bound", aims: "X3",
    says: "unfinished lines may hold any number of bytes together",
    file: "core/directory/directory.js",
    find: "if (d.sessions.pendingBytes > d.config.inputBytesTotalMax)",
    replace: "if (false)",
  },
];

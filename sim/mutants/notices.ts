/**
 * Bugs of leave notices and peerlists (D13, D14).
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const notices: readonly Mutant[] = [
  {
    id: "leave-not-taken-back", aims: "D13",
    says: "a maker that is back at once is announced as gone",
    file: "core/directory/shake.js",
    find: "if (leaves.back(d.leaves, peer.nick)) {",
    replace: "if (false) {",
  },
  {
    id: "leaves-told-again", aims: "D13",
    says: "who was announced as gone is announced again with the next one",
    file: "core/directory/leaves.js",
    find: "m.gone.clear();",
    replace: "",
  },
  {
    id: "mass-leave-loses-notices", aims: "mass-leave",
    says: "of notices that fill more than one line only the last line goes out",
    file: "core/directory/leaves.js",
    find: `out.push({ type: "notice", line });\n            line = "";`,
    replace: `line = "";`,
  },
  {
    id: "leaves-told-one-by-one", aims: "mass-leave",
    says: "each leave is a broadcast of its own: none are collected",
    file: "core/directory/leaves.js",
    find: "m.dueAt = after(now, m.leaveMs);",
    replace: "m.dueAt = after(now, 1);",
  },
  {
    id: "leave-window-begins-again", aims: "D13",
    says: "each further leave puts all notices off",
    file: "core/directory/leaves.js",
    find: "if (m.dueAt === NEVER)",
    replace: "if (true)",
  },
  {
    id: "leaves-not-in-deadline", aims: "D13",
    says: "the node's deadline leaves notices out: they wait until something else is due",
    file: "core/directory/directory.js",
    find: "soonest(leaves.deadline(d.leaves), listing.deadline(d.listing))",
    replace: "listing.deadline(d.listing)",
  },
  {
    id: "departed-maker-listed", aims: "D14",
    says: "a written page of the peerlist outlives the makers on it",
    file: "core/directory/registry.js",
    find: "r.version += 1;\n    r.makerCount -= 1;",
    replace: "r.makerCount -= 1;",
  },
  {
    id: "takers-listed", aims: "D14",
    says: "peers that serve nothing are listed like makers",
    file: "core/directory/shake.js",
    find: "const maker = location.serving;",
    replace: "const maker = true;",
  },
  {
    id: "list-never-advances", aims: "D14",
    says: "a peerlist of several lines repeats its first one for ever",
    file: "core/directory/listing.js",
    find: "default: m.cursors.set(conn, next);",
    replace: "default: break;",
  },
  {
    id: "stalled-list-not-resumed", aims: "D14",
    says: "a peerlist that had to wait for its reader is never finished",
    file: "core/directory/directory.js",
    find: "listing.drained(d.listing, conn, t.now);",
    replace: "",
  },
];

/**
 * What the simulator's faults do, for people who write scenarios: words, fields and an example.
 *
 * Rule 1: words only; what happens is in `sim/faults.ts`, what is accepted in `schema.ts`, and the
 * examples are checked against both in the tests.
 * @module
 */
import { type Fault, type HarmKind, harmKinds } from "../../sim/scenario.ts";
import { arkHarmWords } from "./harms-ark.ts";
import { harmNames } from "../../sim/words.ts";

export type HarmRow = {
  readonly kind: HarmKind;
  /** In reports. */
  readonly name: string;
  readonly says: string;
  /** Each field beside `id`, `at` and `kind`. */
  readonly fields: readonly string[];
  /** An entry of `faults`. */
  readonly example: Fault;
};

const link = "link: two nodes, the second may be \"*\" for all others";
const way = "way: both; there: only from the first to the second; back: only the other way";
const node = "node: its id";
const forMs = "forMs: how long it lasts, in ms";
const down = "forMs: how long it is down, in ms";
const [at, id] = [60_000, 1];
const maker: readonly [string, string] = ["maker0", "dir0"];

type Words = Pick<HarmRow, "says" | "fields" | "example">;

const words: { readonly [kind in HarmKind]: Words } = {
  cut: {
    says: "Nothing passes; what was sent is sent again, as TCP does, until it gives up.",
    fields: [link, way, forMs],
    example: { id, at, kind: "cut", link: maker, way: "both", forMs: 30_000 },
  },
  partition: {
    says: "Nobody of `side` reaches anybody else, nor the other way.",
    fields: [
      "side: a list of nodes", "way: both; there: only out of the side; back: only into it", forMs,
    ],
    example: {
      id, at, kind: "partition", side: ["dir0", "maker0"], way: "both", forMs: 30_000,
    },
  },
  halfOpen: {
    says: "Open connections lose everything from here on, for ever, and no end is told; new ones " +
      "get no answer until it is over.",
    fields: [link, way, "forMs: how long new connections get no answer, in ms"],
    example: { id, at, kind: "halfOpen", link: maker, way: "both", forMs: 30_000 },
  },
  slow: {
    says: "Everything takes longer, each way.",
    fields: [link, "ms: how much longer, in ms", forMs],
    example: { id, at, kind: "slow", link: maker, ms: 2_000, forMs: 30_000 },
  },
  narrow: {
    says: "There is little bandwidth, each way.",
    fields: [link, "bytesPerSec: bytes in a second", forMs],
    example: { id, at, kind: "narrow", link: maker, bytesPerSec: 1_000, forMs: 30_000 },
  },
  lateEnd: {
    says: "Ends of connections (FIN, RST) towards the second node come late.",
    fields: [link, "ms: how late, in ms", forMs],
    example: { id, at, kind: "lateEnd", link: maker, ms: 5_000, forMs: 30_000 },
  },
  reset: {
    says: "Open connections are reset, and both ends are told.",
    fields: [link],
    example: { id, at, kind: "reset", link: maker },
  },
  refuse: {
    says: "Dials fail at once.",
    fields: [link, forMs],
    example: { id, at, kind: "refuse", link: maker, forMs: 30_000 },
  },
  hang: {
    says: "Dials get no answer; the system knocks again, and gives up after 127 s.",
    fields: [link, forMs],
    example: { id, at, kind: "hang", link: maker, forMs: 30_000 },
  },
  lateDial: {
    says: "Dials succeed late.",
    fields: [link, "ms: how late, in ms", forMs],
    example: { id, at, kind: "lateDial", link: maker, ms: 5_000, forMs: 30_000 },
  },
  chop: {
    says: "Writes arrive cut or run together.",
    fields: [
      link, "as: split: cut at any place; tiny: often byte by byte; joined: run together; whole",
      forMs,
    ],
    example: { id, at, kind: "chop", link: maker, as: "tiny", forMs: 30_000 },
  },
  stall: {
    says: "The node reads nothing.",
    fields: [node, forMs],
    example: { id, at, kind: "stall", node: "maker0", forMs: 30_000 },
  },
  pause: {
    says: "The process sees and does nothing, then goes on with what has piled up.",
    fields: [node, forMs],
    example: { id, at, kind: "pause", node: "dir0", forMs: 30_000 },
  },
  crash: {
    says: "The process dies, and starts again with what is durable.",
    fields: [
      node, "effect: after so many effects of its next step that has as many; 0: at once",
      "power: true: the machine dies too; no end is told, and unsynced writes are lost", down,
    ],
    example: { id, at, kind: "crash", node: "dir0", effect: 0, power: true, forMs: 10_000 },
  },
  restart: {
    says: "A directory is asked to stop in good order, another process just ends; then it starts " +
      "again.",
    fields: [node, down],
    example: { id, at, kind: "restart", node: "dir0", forMs: 10_000 },
  },
  jump: {
    says: "The wall clock jumps; the monotonic one does not.",
    fields: [node, "ms: how far, in ms; back if negative"],
    example: { id, at, kind: "jump", node: "dir0", ms: -3_600_000 },
  },
  drift: {
    says: "The monotonic clock runs fast, or slow.",
    fields: [node, "ppm: parts in a million too fast; slow if negative", forMs],
    example: { id, at, kind: "drift", node: "dir0", ppm: 20_000, forMs: 600_000 },
  },
  diskSlow: {
    says: "The disk takes longer for each order. Journals, bots and fleets have disks.",
    fields: [node, "ms: how much longer, in ms", forMs],
    example: { id, at, kind: "diskSlow", node: "journal0", ms: 500, forMs: 30_000 },
  },
  diskFull: {
    says: "The disk takes no more bytes. Journals, bots and fleets have disks.",
    fields: [node, forMs],
    example: { id, at, kind: "diskFull", node: "journal0", forMs: 30_000 },
  },
  diskTorn: {
    says: "The next write is cut short, and the power fails. Journals, bots and fleets have " +
      "disks.",
    fields: [node, down],
    example: { id, at, kind: "diskTorn", node: "journal0", forMs: 10_000 },
  },
  diskFails: {
    says: "The disk's next order of a kind fails. What a failed sync was about is seen and on no " +
      "disk. Journals, bots and fleets have disks.",
    fields: [node, "order: load, append, sync, truncate"],
    example: { id, at, kind: "diskFails", node: "journal0", order: "sync" },
  },
  tor: {
    says: "The Tor of a bot dies: its connections to directories are reset, new ones refused, " +
      "and its onion service is gone.",
    fields: [node, forMs],
    example: { id, at, kind: "tor", node: "bot0", forMs: 120_000 },
  },
  rpcWrong: {
    says: "The chain's node answers wrongly.",
    fields: [
      node,
      "as: denied, busy: refused; html: a proxy's page; cut: half an answer; warming: it starts; " +
        "alone: it has no peers; silent: no answer",
      forMs,
    ],
    example: { id, at, kind: "rpcWrong", node: "chain0", as: "html", forMs: 120_000 },
  },
  hookDown: {
    says: "Who gets the notices of a bot or a fleet cannot be reached.",
    fields: [node, forMs],
    example: { id, at, kind: "hookDown", node: "bot0", forMs: 120_000 },
  },
  ...arkHarmWords,
};

/** All kinds of faults, in the order of the format. */
export const harmRows: readonly HarmRow[] = harmKinds.map((kind) =>
  ({ kind, name: harmNames[kind], ...words[kind] }));

/** The kind of that name, as scenarios (`halfOpen`) or as reports (`half-open`) have it. */
export function harmOf(name: string): HarmRow | undefined {
  const wanted = plain(name);
  return harmRows.find((row) => plain(row.kind) === wanted || plain(row.name) === wanted);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-\s]/g, "");
}

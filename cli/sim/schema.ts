/**
 * The shape of a scenario as zod checks it, field for field as `sim/scenario.ts` has it.
 *
 * Rule 1: bounds are those within which a run ends in bounded time and memory; a drawn scenario is
 * always far inside them.
 * Rule 2: a name that no node has is allowed (it does nothing); a field that nobody reads is not.
 * Rule 3: a seed may be written short, as commands show it; what is read has all 16 digits.
 * @module
 */
import * as z from "zod";
import {
  diskOrders, fates, hostileKinds, marks, rpcWrongs, type Scenario, segmentations, simVersion,
  trapKinds,
} from "../../sim/scenario.ts";
import { barkdWrongs, paces, serverWrongs, sourceWrongs } from "../../sim/fleet/spec.ts";
import { seedText } from "./seeds.ts";

const dayMs = 86_400_000;
const nodesMax = 10_000;
const entriesMax = 100_000;
const bytesMax = 1_000_000_000;

const whole = (low: number, high: number): z.ZodNumber => z.int().min(low).max(high);
const instant = whole(0, 30 * dayMs);
const span = whole(0, 30 * dayMs);
const size = whole(0, bytesMax);
const us = whole(0, 3_600_000_000);
const name = z.string().regex(/^[a-z][a-zA-Z]*[0-9]{0,6}$/, "letters and digits, such as maker3");
const id = whole(0, Number.MAX_SAFE_INTEGER);
const way = z.enum(["both", "there", "back"]);
const link = z.tuple([name, z.union([name, z.literal("*")])]);
const segment = z.enum(segmentations);

const settings = z.strictObject({
  peersMax: whole(1, 100_000), handshakingMax: whole(1, 100_000), handshakeMs: span, lineMs: span,
  contestPingMs: span, contestMakerMs: span, leaveMs: span, peerlistBytesMax: size,
  peerlistLinesPerFlush: whole(1, 100_000), inputBytesTotalMax: size, location: z.boolean(),
  sweepMs: span, idleMs: span, hardMs: span, pongMs: span, outboxBytesMax: size,
  outboxBytesTotalMax: size, flushMs: span, flushBytes: size, congestedMsMax: span,
  verbose: z.boolean(),
}).partial();

const botSettings = z.strictObject({
  startupMs: span, dialMs: span, handshakeMs: span, idleMs: span, pongMs: span,
  retriesMax: whole(0, 1_000_000), spentMs: span, announceDelayMaxMs: span, backendGraceMs: span,
  downMs: span, pollMs: span, intervalMs: span, checkMs: span, timeoutMs: span, warnMs: span,
  lateCheckMs: span, settledMin: whole(1, 1_000),
  sizeSpreadPpm: whole(0, 1_000_000), diskBytes: size, verbose: z.boolean(),
}).partial();

const blocksMax = 1_000_000;
const walletsMax = 1_000;
const sat = whole(1, 2_100_000_000_000_000);
const blocks = whole(1, blocksMax);

/** The daemon asserts that stages follow from each other. */
const fleetSettings = z.strictObject({
  refreshBlocks: blocks, leadBlocks: blocks, failingBlocks: blocks, perLevelBlocks: blocks,
  marginBlocks: blocks, lookMs: whole(2_000, 300_000), diskBytes: size, verbose: z.boolean(),
}).partial();

const wallet = z.strictObject({
  name,
  coins: z.array(z.strictObject({ sat, blocks, levels: whole(1, 100) })).max(nodesMax),
  fundsSat: whole(0, 2_100_000_000_000_000), autoExit: z.boolean().optional(),
  autoClaim: z.boolean().optional(), hasRounds: z.boolean().optional(),
  runsItself: z.boolean().optional(), ownBlocks: blocks.optional(),
  noRefresh: z.boolean().optional(),
});

const directories = z.array(name).max(nodesMax).optional();
const joinsAt = instant.optional();

const peer = <K extends string>(kind: K) => z.strictObject({
  id: name, kind: z.literal(kind), speaks: z.enum(["old", "new"]), auth: z.boolean().optional(),
  twinOf: name.optional(), directories, joinsAt,
});

const hostile = <K extends string>(kind: K) => z.strictObject({
  id: name, kind: z.literal(kind), directories, joinsAt, zeal: whole(1, 10).optional(),
});

const node = z.discriminatedUnion("kind", [
  z.strictObject({ id: name, kind: z.literal("directory"), settings: settings.optional() }),
  peer("maker"), peer("taker"), peer("watcher"),
  ...hostileKinds.map((kind) => hostile(kind)),
  z.strictObject({
    id: name, kind: z.literal("journal"),
    settings: z.strictObject({ diskBytes: size.optional() }).optional(),
  }),
  z.strictObject({
    id: name, kind: z.literal("bot"), directories, joinsAt, chain: name.optional(),
    onion: z.boolean().optional(),
    rows: whole(0, 1_000).optional(), settings: botSettings.optional(),
  }),
  z.strictObject({ id: name, kind: z.literal("chain") }),
  z.strictObject({ id: name, kind: z.literal("trap"), as: z.enum(trapKinds) }),
  z.strictObject({
    id: name, kind: z.literal("fleet"), ark: name.optional(), joinsAt,
    wallets: z.array(wallet).max(walletsMax).refine(hasOwnNames, "each wallet has its own name"),
    settings: fleetSettings.optional(),
  }),
  z.strictObject({
    id: name, kind: z.literal("ark"), pace: z.enum(paces), blockMs: whole(1_000, dayMs),
    roundMs: whole(10_000, dayMs), lifeBlocks: whole(1, blocksMax),
    deltaBlocks: whole(1, blocksMax),
  }),
]);

function hasOwnNames(wallets: readonly { readonly name: string }[]): boolean {
  return new Set(wallets.map((one) => one.name)).size === wallets.length;
}

const net = z.strictObject({
  latencyMinUs: us, latencyMeanUs: us, segment, sendBufferBytes: whole(1, bytesMax),
  receiveBufferBytes: whole(1, bytesMax),
});

const host = z.strictObject({ stepUs: us, effectUs: us, timerLateUs: us });

const ofTask = { id, at: instant, node: name };
const task = z.discriminatedUnion("op", [
  z.strictObject({ ...ofTask, op: z.literal("announce"), size: whole(1, 5) }),
  z.strictObject({ ...ofTask, op: z.literal("orderbook") }),
  z.strictObject({ ...ofTask, op: z.literal("fill"), maker: name, bytes: whole(0, 100_000) }),
  z.strictObject({ ...ofTask, op: z.literal("peerlist") }),
  z.strictObject({ ...ofTask, op: z.literal("ping") }),
  z.strictObject({ ...ofTask, op: z.literal("chat"), bytes: whole(0, 100_000) }),
  z.strictObject({ ...ofTask, op: z.literal("away"), forMs: span }),
  z.strictObject({
    ...ofTask, op: z.literal("burst"), count: whole(0, 100_000), bytes: whole(0, 100_000),
  }),
  z.strictObject({
    ...ofTask, op: z.literal("append"), count: whole(0, 100_000), bytes: whole(0, bytesMax),
  }),
  z.strictObject({ ...ofTask, op: z.literal("mine"), blocks: whole(1, 1_000) }),
  z.strictObject({
    ...ofTask, op: z.literal("reorg"), blocks: whole(1, 1_000), isDropped: z.boolean(),
  }),
  ...(["send", "replace", "evict"] as const).map((op) => z.strictObject({
    ...ofTask, op: z.literal(op), bot: name, row: whole(0, 1_000),
  })),
  z.strictObject({ ...ofTask, op: z.literal("fund"), bot: name, kSat: whole(1, 1_000_000) }),
  z.strictObject({ ...ofTask, op: z.literal("drain"), bot: name }),
  z.strictObject({
    ...ofTask, op: z.literal("pay"), wallet: name, sat, blocks, levels: whole(1, 100),
  }),
  z.strictObject({ ...ofTask, op: z.literal("deposit"), wallet: name, sat }),
  z.strictObject({ ...ofTask, op: z.literal("restartServer") }),
  ...(["restartProgram", "changeToken"] as const).map((op) => z.strictObject({
    ...ofTask, op: z.literal(op), wallet: name,
  })),
  z.strictObject({ ...ofTask, op: z.literal("feeRate"), rate: whole(1, 10_000) }),
]);

const forMs = span;
const ms = span;
const anyWallet = z.union([name, z.literal("*")]);
const extent = whole(0, dayMs);
/** Every harm by kind: its fields beside the kind. */
const harms = {
  cut: { link, way, forMs },
  partition: { side: z.array(name).max(nodesMax), way, forMs },
  halfOpen: { link, way, forMs },
  slow: { link, ms, forMs },
  narrow: { link, bytesPerSec: whole(1, bytesMax), forMs },
  lateEnd: { link, ms, forMs },
  reset: { link },
  refuse: { link, forMs },
  hang: { link, forMs },
  lateDial: { link, ms, forMs },
  chop: { link, as: segment, forMs },
  stall: { node: name, forMs },
  pause: { node: name, forMs },
  crash: { node: name, effect: whole(0, 1_000_000), power: z.boolean(), forMs },
  restart: { node: name, forMs },
  jump: { node: name, ms: whole(-36_500 * dayMs, 36_500 * dayMs) },
  drift: { node: name, ppm: whole(-500_000, 500_000), forMs },
  diskSlow: { node: name, ms, forMs },
  diskFull: { node: name, forMs },
  diskTorn: { node: name, forMs },
  diskFails: { node: name, order: z.enum(diskOrders) },
  tor: { node: name, forMs },
  rpcWrong: { node: name, as: z.enum(rpcWrongs), forMs },
  hookDown: { node: name, forMs },
  barkdWrong: { node: name, wallet: anyWallet, as: z.enum(barkdWrongs), size: extent, forMs },
  serverWrong: { node: name, as: z.enum(serverWrongs), size: extent, forMs },
  sourceWrong: { node: name, wallet: anyWallet, as: z.enum(sourceWrongs), size: extent, forMs },
} as const;

function harmUnion(beside: z.core.$ZodLooseShape): z.ZodType {
  const options = Object.entries(harms).map(([kind, fields]) =>
    z.strictObject({ ...beside, kind: z.literal(kind), ...fields }));
  return z.discriminatedUnion("kind", options as unknown as [z.ZodObject, ...z.ZodObject[]]);
}

const fault = harmUnion({ id, at: instant });
const trigger = z.strictObject({
  id, on: z.strictObject({ mark: z.enum(marks), node: name, nth: whole(1, 1_000_000) }),
  delayMs: span, do: harmUnion({}),
});

const phases = z.strictObject({
  faultyMs: instant, core: z.array(name).max(nodesMax), convergeMs: span,
  fates: z.array(z.strictObject({ node: name, fate: z.enum(fates) })).max(nodesMax),
});

/** A scenario that this build runs as it was meant. */
export const scenarioSchema: z.ZodType<Scenario> = z.strictObject({
  simVersion: z.literal(simVersion),
  name: z.string().min(1).max(100),
  seed: z.string().regex(/^0x[0-9a-f]{1,16}$/i, "0x and up to 16 hex digits")
    .transform((text) => seedText(BigInt(text))),
  nodes: z.array(node).min(1).max(nodesMax).refine(isUnique, "each node has an id of its own"),
  net, host,
  workload: z.array(task).max(entriesMax),
  faults: z.array(fault).max(entriesMax),
  triggers: z.array(trigger).max(entriesMax),
  phases,
}).refine(hasOwnIds, "entries of workload, faults and triggers have ids of their own") as
  unknown as z.ZodType<Scenario>;

function isUnique(entries: readonly { readonly id: unknown }[]): boolean {
  return new Set(entries.map((entry) => entry.id)).size === entries.length;
}

function hasOwnIds(s: { workload: unknown[]; faults: unknown[]; triggers: unknown[] }): boolean {
  return isUnique([...s.workload, ...s.faults, ...s.triggers] as { id: unknown }[]);
}

/**
 * `dogwatch sim cover`: what a search gets to see: goals, faults against states, moves that were
 * never made, extremes.
 * @module
 */
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import * as session from "../../core/directory/session.ts";
import { harmKinds } from "../../sim/scenario.ts";
import { columns } from "../../sim/report/lines.ts";
import { countText, plural } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { misused, read, type Settings, type SimFlags } from "./flags.ts";
import { type GoalMode, goalModeOf, declared, missing, shareText, unmet } from "./goals.ts";
import { rangeOf } from "./hunt.ts";
import { poolOf, type Pool } from "./pool.ts";
import { shortCount } from "./progress.ts";
import { liveLine } from "./screen.ts";
import { seedAt, shortSeed } from "./seeds.ts";
import { addCover, type Cover } from "./sights.ts";
import { add, createTally, type Tally } from "./tally.ts";
import { exitOfTally, lastLine } from "./verdict.ts";

export type CoverFlags = SimFlags & { readonly seeds?: string; readonly goals?: string };

const seedsUsual = "500";
const aheadPerWorker = 4;

/** Looks; the exit code is that of a search. */
export async function cover(
  flags: CoverFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const mode = goalModeOf(flags.goals);
  if (!mode.ok) return misused(io, mode.says);
  const range = rangeOf({ seeds: seedsUsual, ...flags }, settings, ambient);
  if (typeof range === "string") return misused(io, range);
  const pool = poolOf(settings, ambient);
  const seeds = Array.from({ length: range.count }, (_, nth) =>
    seedAt(range, { at: 1, of: 1 }, nth));
  const tally = createTally();
  try {
    const seen = await look(seeds, tally, pool, settings, io);
    return report({ seen, tally, mode: mode.value }, settings, io);
  } finally {
    await pool.close();
  }
}

async function look(
  seeds: readonly string[], tally: Tally, pool: Pool, settings: Settings, io: Io,
): Promise<Cover> {
  const seen: Cover = { matrix: {}, moves: {} };
  const { recipe, options } = settings;
  const line = liveLine(io, settings.isQuiet);
  const ahead: ReturnType<Pool["submit"]>[] = [];
  let issued = 0;
  for (const [nth, seed] of seeds.entries()) {
    while (issued < seeds.length && ahead.length < aheadPerWorker * pool.size) {
      const what = { seed: seeds[issued] as string, recipe };
      ahead.push(pool.submit({ what, options, checkpoints: false, traps: true, look: "cover" }));
      issued += 1;
    }
    const { answer } = await (ahead.shift() as ReturnType<Pool["submit"]>);
    add(tally, seed, nth, answer);
    if (answer.ok && answer.cover !== undefined) addCover(seen, answer.cover);
    if (nth % 10 === 0) line.tell(`${nth + 1} of ${seeds.length} seeds`);
  }
  line.end();
  return seen;
}

type Looked = { readonly seen: Cover; readonly tally: Tally; readonly mode: GoalMode };

function report({ seen, tally, mode }: Looked, settings: Settings, io: Io): number {
  const lacking = unmet(tally, settings.recipe, mode);
  const exit = exitOfTally(tally, lacking);
  const never = neverMade(seen);
  const last = lastLine(exit, {
    seeds: tally.seeds, goals: shareText(tally, settings.recipe), never: never.length,
    found: tally.found.length,
  });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, exit, tally, cover: seen, neverMade: never,
      missing: missing(tally, settings.recipe) })}\n`);
    io.err(last);
    return exit;
  }
  io.out([
    `goals after ${plural(tally.seeds, "seed")} of ${settings.recipe.profile}`,
    ...goalLines(tally, settings), "",
    "faults against the states that connections were in when they began",
    ...matrixLines(seen), "",
    "moves that were made", ...moveLines(seen), "",
    never.length === 0 ? "every move of the session's table was made"
      : `never made: ${never.join(", ")}`, "",
    "extremes, in thousandths of their bounds", ...gaugeLines(tally), "",
  ].join("\n") + last);
  return exit;
}

function goalLines(tally: Tally, { recipe }: Settings): string[] {
  return columns(declared(recipe).map(({ id, what }) => {
    const hit = tally.goals[id];
    if (hit === undefined) return [`  ${id}`, "-", "never", what];
    const share = `${countText(hit.count)} seeds`;
    return [`  ${id}`, share, `first ${countText(hit.nth + 1)}: ${shortSeed(hit.seed)}`, what];
  }), [1]);
}

function matrixLines({ matrix }: Cover): string[] {
  const states = [...new Set(Object.values(matrix).flatMap((row) => Object.keys(row)))]
    .sort((a, b) => (a < b ? -1 : 1));
  const groups = ["session", "link"].map((group) =>
    states.filter((state) => state.startsWith(`${group} `)));
  const others = states.filter((state) => !groups.flat().includes(state));
  return [...groups, others].filter((group) => group.length > 0).flatMap((group) => {
    const head = ["  fault", ...group.map((state) => state.replace(/^(session|link) /, ""))];
    const rows = harmKinds.map((kind) => [
      `  ${kind}`, ...group.map((state) => shortCount(matrix[kind]?.[state] ?? 0)),
    ]);
    const numbers = head.map((_, i) => i + 1);
    return [`  ${group[0]?.split(" ")[0]}:`, ...columns([head, ...rows], numbers)];
  });
}

function moveLines({ moves }: Cover): string[] {
  const sorted = Object.entries(moves).sort(([a], [b]) => (a < b ? -1 : 1));
  return columns(sorted.map(([move, n]) => [`  ${move}`, countText(n)]), [1]);
}

/** Moves of the session's table that no run made; `*` stands for any state but the target. */
function neverMade({ moves }: Cover): string[] {
  const made = Object.keys(moves);
  return session.transitions.filter(({ from, to }) => {
    if (from !== "*") return !made.includes(`session ${from} > ${to}`);
    return !made.some((move) => move.startsWith("session ") && move.endsWith(` > ${to}`));
  }).map(({ from, to, on }) => `${from} > ${to} (${on})`);
}

function gaugeLines(tally: Tally): string[] {
  const sorted = Object.entries(tally.gauges).sort(([a], [b]) => (a < b ? -1 : 1));
  return columns(sorted.map(([name, { most, seed }]) =>
    [`  ${name}`, countText(most), shortSeed(seed)]), [1]);
}

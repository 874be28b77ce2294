/**
 * Draws our maker daemons: when they join, what waits in their history, and their settings.
 * @module
 */
import * as prng from "../../core/prng.ts";
import type { Key } from "../../core/prng.ts";
import type { BotSettings, BotSpec, NodeId } from "../scenario.ts";

/** Bot number `i`: with the daemon's own settings, or with quick ones, so that more is seen. */
export function botOf(
  key: Key, i: number, faultyMs: number, directories: readonly NodeId[],
): BotSpec {
  const p = prng.stream(key, "bot", i);
  const joinsAt = prng.chance(p, 1, 4) ? prng.below(p, faultyMs >> 1) : prng.below(p, 20_000);
  const rows = prng.below(p, 7);
  const isChoosy = prng.chance(p, 1, 6);
  const settings = settingsOf(p);
  const onion = prng.chance(p, 1, 2) ? { onion: true } : {};
  return {
    id: `bot${i}`, kind: "bot", joinsAt, rows, ...onion,
    ...(isChoosy ? { directories: [prng.pick(p, directories)] } : {}),
    ...(Object.keys(settings).length > 0 ? { settings } : {}),
  };
}

function settingsOf(p: prng.Prng): BotSettings {
  const isQuick = prng.chance(p, 2, 3);
  const quick: BotSettings = {
    startupMs: prng.between(p, 20, 120) * 1_000, idleMs: 60_000,
    pongMs: prng.between(p, 5, 30) * 1_000, announceDelayMaxMs: prng.pick(p, [0, 30_000, 600_000]),
    backendGraceMs: prng.pick(p, [0, 30_000, 120_000]), downMs: prng.pick(p, [0, 20_000, 60_000]),
    pollMs: prng.between(p, 5, 30) * 1_000, intervalMs: prng.between(p, 60, 600) * 1_000,
    checkMs: prng.between(p, 20, 60) * 1_000, timeoutMs: 600_000, warnMs: 300_000,
    lateCheckMs: prng.between(p, 60, 600) * 1_000, settledMin: prng.between(p, 1, 6),
  };
  const isLimited = prng.chance(p, 1, 3);
  const limited: BotSettings = {
    retriesMax: prng.between(p, 1, 6), spentMs: prng.between(p, 400, 900) * 1_000,
  };
  const isVerbose = prng.chance(p, 1, 6);
  const isExact = prng.chance(p, 1, 3);
  return {
    ...(isQuick ? quick : {}), ...(isLimited ? limited : {}),
    ...(isVerbose ? { verbose: true } : {}), ...(isExact ? { sizeSpreadPpm: 0 } : {}),
  };
}

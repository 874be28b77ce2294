/**
 * Plausible bugs of the core, each as one small patch of the compiled output: what the simulator
 * must be able to see.
 *
 * Rule 1: chosen on 2026-11-22 by reading the core, its promises (D1 to D16, X1 to X6) and the
 * verified faults of other directory servers, before any run and without a look at the checks. A
 * bug that nothing catches stays in the list and is reported: it names a blind spot.
 * Rule 2: each bug has a consequence that someone could observe; none is the same program in other
 * words.
 * Rule 3: the product holds no switches: a patch is applied to a copy of the compiled library, and
 * one that does not fit exactly once fails the whole campaign.
 * Not known here: how patches are applied, and which seed kills which.
 * @module
 */
import { arkIntents } from "./mutants/ark-intents.ts";
import { arkLinks } from "./mutants/ark-links.ts";
import { arkStages } from "./mutants/ark-stages.ts";
import { history } from "./mutants/history.ts";
import { identity } from "./mutants/identity.ts";
import { liveness } from "./mutants/liveness.ts";
import { machine } from "./mutants/machine.ts";
import { makerFunds } from "./mutants/maker-funds.ts";
import { makerLinks } from "./mutants/maker-links.ts";
import { makerRecords } from "./mutants/maker-records.ts";
import { makerTalk } from "./mutants/maker-talk.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { notices } from "./mutants/notices.ts";
import { outgoing } from "./mutants/outgoing.ts";
import { routing } from "./mutants/routing.ts";
import { stream } from "./mutants/stream.ts";

export { type Aim, aims, type Edit, type Mutant } from "./mutants/mutant.ts";

/** All of them, by theme. */
export const mutants: readonly Mutant[] = [
  ...identity, ...liveness, ...routing, ...outgoing, ...notices, ...stream, ...machine, ...history,
  ...makerLinks, ...makerFunds, ...makerRecords, ...makerTalk,
  ...arkIntents, ...arkStages, ...arkLinks,
];

/**
 * Bugs of what the Ark daemon knows of heights and VTXOs, and of what it tells.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isArks = true as const;

export const arkStages: readonly Mutant[] = [
  {
    id: "ark-due-a-block-late", aims: "E1", isArks,
    says: "a refresh is due one block later than it is said to be",
    file: "core/ark/expiry.js",
    find: "smaller(expiryHeight - c.refreshBlocks + 1, exit - c.leadBlocks)",
    replace: "smaller(expiryHeight - c.refreshBlocks + 1, exit - c.leadBlocks) + 1",
  },
  {
    id: "ark-exit-now-a-block-late", aims: "E1", isArks,
    says: "an exit has to begin one block later than it has to",
    file: "core/ark/expiry.js",
    find: "height >= heightOf(c, vtxo, \"exit-now\"))\n        return",
    replace: "height > heightOf(c, vtxo, \"exit-now\"))\n        return",
  },
  {
    id: "ark-depth-forgotten", aims: "E1", isArks,
    says: "a deep exit is taken to be as quick as a shallow one",
    file: "core/ark/expiry.js",
    find: "exitDeltaBlocks - exitDepth * c.perLevelBlocks - c.marginBlocks",
    replace: "exitDeltaBlocks - c.perLevelBlocks - c.marginBlocks",
  },
  {
    id: "ark-stale-tip-believed", aims: "E1", isArks,
    says: "a source that is silent stops the clock",
    file: "core/ark/height.js",
    find: "    const fast = carried(m.latest, m.config.fastMs, now);\n" +
      "    const slow = floorAt(m, now) ?? fast;",
    replace: "    const fast = m.latest.height;\n    const slow = fast;",
    and: {
      file: "core/ark/height.js",
      find: "    return soonest(reachedBy(m.latest, fastMs, height), reachedBy(m.floor," +
        " slowMs, height));",
      replace: "    return height > m.latest.height ? NEVER : reachedBy(m.floor, slowMs, height);",
    },
  },
  {
    id: "ark-truth-doubted", aims: "L6", isArks,
    says: "two blocks at once are more than can be true",
    file: "core/ark/height.js",
    find: "    return highest + jumpBlocks + staleBlocks(m);",
    replace: "    return highest;",
  },
  {
    id: "ark-stage-clock-missing", aims: "E1", isArks,
    says: "the guard is not told when a stage begins, but looks now and then",
    file: "core/ark/expiry.js",
    find: "return soonest(m.blindAt, heights.reaches(m.height, m.nextHeight));",
    replace: "return m.blindAt;",
  },
  {
    id: "ark-stage-in-silence", aims: "E2", isArks,
    says: "that an exit is due is known and told to nobody",
    file: "core/ark/expiry.js",
    find: "    for (const [stage, coins] of entered)\n" +
      "        tell(m, stage, coins, height, now, out);",
    replace: "    for (const [stage, coins] of entered)\n" +
      "        if (stage !== \"exit-now\")\n" +
      "            tell(m, stage, coins, height, now, out);",
  },
  {
    id: "ark-notices-without-rest", aims: "E2", isArks,
    says: "what needs somebody is told again at every look",
    file: "core/ark/expiry.js",
    find: "if (height >= (m.toldAt.get(stage) ?? -1) + remindBlocks) {",
    replace: "if (height >= (m.toldAt.get(stage) ?? -1)) {",
  },
  {
    id: "ark-failure-is-an-empty-list", aims: "E5", isArks,
    says: "a wallet that does not answer has no VTXOs",
    file: "core/ark/guardian.js",
    find: "    const reason = answer.why === \"unavailable\" ? answer.reason : answer.why;",
    replace: "    if (op === \"vtxos\")\n" +
      "        expiry.step(m.expiry, { type: \"vtxos\", vtxos: [] }, now, out);\n" +
      "    const reason = answer.why === \"unavailable\" ? answer.reason : answer.why;",
  },
  {
    id: "ark-look-once", aims: "L6", isArks,
    says: "a look that failed is the last one",
    file: "core/ark/guardian.js",
    find: "    const reason = answer.why === \"unavailable\" ? answer.reason : answer.why;",
    replace: "    if (op === \"tip\")\n" +
      "        m.isStopping = true;\n" +
      "    const reason = answer.why === \"unavailable\" ? answer.reason : answer.why;",
  },
  {
    id: "ark-failing-a-block-late", aims: "E1", isArks,
    says: "a refresh that is due counts as failing one block later than is said",
    file: "core/ark/expiry.js",
    find: "smaller(due + c.failingBlocks, exit);",
    replace: "smaller(due + c.failingBlocks + 1, exit);",
  },
  {
    id: "ark-delta-forgotten", aims: "E1", isArks,
    says: "an exit is taken to be over when its last transaction is in a block",
    file: "core/ark/expiry.js",
    find: "expiryHeight - exitDeltaBlocks - exitDepth", replace: "expiryHeight - exitDepth",
  },
  {
    id: "ark-exits-not-looked-at", aims: "L6", isArks,
    says: "a look asks for heights and VTXOs, and for no exits",
    file: "core/ark/guardian.js",
    find: "{ op: \"vtxos\" }, { op: \"exits\" }];", replace: "{ op: \"vtxos\" }];",
  },
];

/**
 * Bugs of what our maker knows of transactions, keeps, and tells.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isMakers = true as const;

export const makerRecords: readonly Mutant[] = [
  {
    id: "maker-no-answer-is-absence", aims: "M9", isMakers,
    says: "a node that cannot answer has not found the transaction",
    file: "core/maker/watch.js",
    find: "        if (answer.why !== \"absent\")\n            return undefined;\n", replace: "",
    and: {
      file: "core/maker/watch.js", find: "answer.conflicts.length > 0", replace: "false",
    },
  },
  {
    id: "maker-lonely-node-believed", aims: "M9", isMakers,
    says: "a node without peers is believed that there is no such transaction",
    file: "core/chain/plans/trust.js", find: "if (node.peers < config.peersMin)",
    replace: "if (node.peers < 0)",
  },
  {
    id: "maker-age-while-away", aims: "M9", isMakers,
    says: "the time in which nobody could look makes a transaction old",
    file: "core/maker/watch.js",
    find: "w.ageMs += spanMs < config.creditMaxMs ? spanMs : config.creditMaxMs;",
    replace: "w.ageMs += spanMs;",
  },
  {
    id: "maker-age-goes-on", aims: "M9", isMakers,
    says: "being seen does not end the age of a transaction",
    file: "core/maker/watch.js", find: "    w.ageMs = 0;\n    w.recordedAgeMs = 0;\n    w.absentAt",
    replace: "    w.recordedAgeMs = w.ageMs;\n    w.absentAt",
    and: {
      file: "core/maker/watch.js", find: "    w.ageMs = 0;\n    return w.recordedAgeMs",
      replace: "    return w.recordedAgeMs",
    },
  },
  {
    id: "maker-late-ones-forgotten", aims: "L5", isMakers,
    says: "what was given up is not looked at any more",
    file: "core/maker/pending.js", find: "        m.late.set(id, after(now, lateCheckMs));",
    replace: "        m.late.delete(id);",
  },
  {
    id: "maker-late-ones-lost-by-restart", aims: "L5", isMakers,
    says: "a new process does not look at what was given up",
    file: "core/history/book.js",
    find: "if (stage === \"settled\")\n            continue;\n        const list",
    replace:
      "if (stage === \"settled\" || stage === \"given-up\")\n            continue;\n" +
      "        const list",
  },
  {
    id: "maker-confirmed-for-good", aims: "L5", isMakers,
    says: "a confirmation that a reorganisation takes back stays",
    file: "core/maker/watch.js",
    find: "if (confirmations === 0)\n                return { type: \"lost\", of, atUs };",
    replace: "if (confirmations === 0)\n                return undefined;",
    and: {
      file: "core/maker/watch.js",
      find: "    if (w.stage === \"confirmed\")\n        return { type: \"lost\", of, atUs };",
      replace: "    if (w.stage === \"confirmed\")\n        return undefined;",
    },
  },
  {
    id: "maker-settled-at-once", aims: "M10", isMakers,
    says: "one confirmation is as good as six",
    file: "core/maker/watch.js", find: "if (confirmations < config.settledMin)",
    replace: "if (confirmations < 1)",
  },
  {
    id: "maker-remembered-is-found", aims: "M11", isMakers,
    says: "what the wallet once saw is in the memory pool",
    file: "core/chain/plans/tx.js",
    find: "    if (node === \"unknown\")\n        return undefined;",
    replace: "    if (node === \"unknown\")\n" +
      "        return wallet === \"unknown\" ? undefined : { confirmations: 0, outputs: [] };",
  },
  {
    id: "maker-record-not-waited-for", aims: "M13", isMakers,
    says: "a letter says that it is durable before it is",
    file: "core/notify/letter.js", find: "        isRecorded: false, isOld: false,",
    replace: "        isRecorded: true, isOld: false,",
  },
  {
    id: "maker-delivery-unrecorded", aims: "M12", isMakers,
    says: "that a letter was taken is recorded nowhere",
    file: "core/notify/delivery.js",
    find: "        record(m, { type: \"notice-sent\", id: letter.id, to }, out);",
    replace: "        void to;",
  },
  {
    id: "maker-once-is-each-run", aims: "M12", isMakers,
    says: "what was told once is told again by the next process",
    file: "core/notify/gate.js",
    find: "case \"once\": return g.once.has(keyOf(draft)) ? \"same\" : counted(g, draft, now);",
    replace: "case \"once\": return counted(g, draft, now);",
  },
];

/**
 * Bugs of what the Ark daemon does with other people's coins: intents, refreshes, exits, claims.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isArks = true as const;

export const arkIntents: readonly Mutant[] = [
  {
    id: "ark-intent-not-durable", aims: "A5", isArks,
    says: "a call is made while the record of its intent is on its way",
    file: "core/ark/drive.js",
    find: "phase: { is: \"opening\" }, isAsked: false, failures: 0, agoMs: 0 });\n    write(",
    replace: "phase: { is: \"due\" }, isAsked: false, failures: 0, agoMs: 0 });\n    write(",
  },
  {
    id: "ark-two-intents-for-one", aims: "A2", isArks,
    says: "nobody remembers which VTXOs are in an open intent",
    file: "core/ark/intents.js",
    find: "    for (const vtxo of vtxos)\n" +
      "        b.byVtxo.set(vtxo, intent.id);\n" +
      "    return true;",
    replace: "    return true;",
  },
  {
    id: "ark-restored-intent-asked-again", aims: "A5", isArks,
    says: "after a crash an open intent is asked for as if it never was",
    file: "core/ark/drive.js",
    find: "        const phase = { is: \"watching\", since: now };",
    replace: "        const phase = { is: \"due\" };",
  },
  {
    id: "ark-refresh-of-exiting", aims: "A2", isArks,
    says: "what is on its way to the chain is refreshed",
    file: "core/ark/refresh.js",
    find: "    if (coin === undefined || isLeaving(s, coin) || leaving.has(id))\n" +
      "        return false;\n" +
      "    return coin.vtxo.state === \"spendable\" && !isOver",
    replace: "    if (coin === undefined)\n        return false;\n    return !isOver",
  },
  {
    id: "ark-refresh-while-barred", aims: "A6", isArks,
    says: "a barred server is asked for refreshes",
    file: "core/ark/refresh.js",
    find: "if (!m.config.isOn || !s.isFresh || s.isBarred || m.openAt !== NEVER)",
    replace: "if (!m.config.isOn || !s.isFresh || m.openAt !== NEVER)",
    and: {
      file: "core/ark/refresh.js",
      find: "    if (!m.config.isOn || !s.isFresh || s.isBarred)\n" +
        "        return false;\n" +
        "    return intent",
      replace: "    if (!m.config.isOn || !s.isFresh)\n        return false;\n    return intent",
    },
  },
  {
    id: "ark-exit-without-leave", aims: "A12", isArks,
    says: "exits are begun although the operator did not allow it",
    file: "core/ark/shepherd.js",
    find: "    if (!c.autoExit)\n        return \"not-allowed\";",
    replace: "",
    and: {
      file: "core/ark/shepherd.js",
      find: "return m.config.autoExit && vtxos.every(",
      replace: "return vtxos.every(",
    },
  },
  {
    id: "ark-claim-before-claimable", aims: "A12", isArks,
    says: "an exit that waits for its delta is claimed",
    file: "core/ark/shepherd.js",
    find: "if (state !== \"claimable\" || d.book.byVtxo.has(vtxo)",
    replace: "if ((state !== \"claimable\" && state !== \"awaiting-delta\") ||" +
      " d.book.byVtxo.has(vtxo)",
    and: {
      file: "core/ark/shepherd.js",
      find: "vtxos.every((id) => s.exits.get(id)?.state === \"claimable\")",
      replace: "vtxos.every((id) => s.exits.has(id))",
    },
  },
  {
    id: "ark-acts-on-old-sight", aims: "A5", isArks,
    says: "what was seen long ago counts as seen just now",
    file: "core/ark/guardian.js",
    find: "&& now - vtxosFrom <= sightMs && now - exitsFrom <= sightMs",
    replace: "",
    and: {
      file: "core/ark/refresh.js",
      find: "    if (!m.config.isOn || !s.isFresh || s.isBarred)\n" +
        "        return false;\n" +
        "    return intent",
      replace: "    if (!m.config.isOn || s.isBarred)\n        return false;\n    return intent",
    },
  },
  {
    id: "ark-refresh-of-expired", aims: "A10", isArks,
    says: "what has expired is refreshed",
    file: "core/ark/refresh.js",
    find: "return stage === \"expired\" && (s.counted === undefined || s.counted >=" +
      " expiryHeight);",
    replace: "return false;",
  },
  {
    id: "ark-rejected-asked-again", aims: "A5", isArks,
    says: "what the server rejected does not rest",
    file: "core/ark/refresh.js",
    find: "        m.rests.set(id, after(now, m.config.restMs));\n        failed.push(id);",
    replace: "        failed.push(id);",
  },
  {
    id: "ark-unavailable-asked-again", aims: "A5", isArks,
    says: "an answer that says nothing lets an intent be asked for again",
    file: "core/ark/drive.js",
    find: "reason === \"auth\" || reason === \"no-wallet\" || reason === \"busy\"",
    replace: "reason !== \"server-key\"",
  },
  {
    id: "ark-key-change-ignored", aims: "A6", isArks,
    says: "a server that shows another key is a server like any other",
    file: "core/ark/wallets.js",
    find: "                toDaemon(d, node, { type: \"heard\", op: \"ark-info\"," +
      " answer: otherKey }, t);\n",
    replace: "",
  },
  {
    id: "ark-ties-forgotten", aims: "A2", isArks,
    says: "what was given up is asked for in parts, though a round may hold it",
    file: "core/ark/ties.js",
    find: "            if (outcome === \"superseded\")\n",
    replace: "            if (outcome === undefined)\n",
  },
  {
    id: "ark-ties-loosed-unread", aims: "A2", isArks,
    says: "any list of what is under way looses all ties",
    file: "core/ark/ties.js",
    find: "if (!held.has(vtxo))", replace: "if (held !== undefined)",
  },
  {
    id: "ark-own-round-forgotten", aims: "A12", isArks,
    says: "what the wallet has in a round of its own leaves like any other",
    file: "core/ark/shepherd.js",
    find: "return state === \"locked\" && !isBeyondMargin(m.expiry, s, id)",
    replace: "return state === undefined",
  },
];

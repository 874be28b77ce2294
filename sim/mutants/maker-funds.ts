/**
 * Bugs of what our maker offers, says, and knows of its coins.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isMakers = true as const;

export const makerFunds: readonly Mutant[] = [
  {
    id: "maker-silent-after-return", aims: "M6", isMakers,
    says: "a directory that is reached again is not told what is on offer",
    file: "core/maker/link.js",
    find: "    if (m.offers !== undefined)\n        announce(",
    replace: "    if (m.offers !== undefined && m.malformedTotal > 0)\n        announce(",
  },
  {
    id: "maker-announces-twice", aims: "M6", isMakers,
    says: "a change is said as if the connection were new",
    file: "core/maker/link.js",
    find: "announce(m, m.wire, offers.version, offers.change, out);",
    replace: "announce(m, m.wire, offers.version, [...offers.change, ...offers.current], out);",
  },
  {
    id: "maker-offers-without-records", aims: "M6", isMakers,
    says: "offers stay while the journal takes no records",
    file: "core/maker/offers.js", find: "if (!m.isWritable)", replace: "if (false)",
  },
  {
    id: "maker-offers-without-node", aims: "M6", isMakers,
    says: "offers stay while the node is gone",
    file: "core/maker/offers.js", find: "if (m.backend.phase === \"lost\")", replace: "if (false)",
  },
  {
    id: "maker-node-never-down", aims: "M6", isMakers,
    says: "a node that fails is waited for, however long",
    file: "core/maker/wallet.js",
    find: "return trouble === undefined ? NEVER : after(trouble.since, m.config.downMs);",
    replace: "return NEVER;",
  },
  {
    id: "maker-spent-coins-offered", aims: "M6", isMakers,
    says: "offers that cannot be kept any more wait like any other change",
    file: "core/maker/offers.js",
    find: "return current(m).some((o) => !offermath.isHonourable(o, balanceSat));",
    replace: "return false;",
  },
  {
    id: "maker-unconfirmed-offered", aims: "M6", isMakers,
    says: "coins in no block are offered",
    file: "core/maker/wallet.js",
    find: "return !coin.isLocked && coin.confirmations >= m.config.confirmationsMin;",
    replace: "return !coin.isLocked;",
    and: {
      file: "core/maker/offermath.js",
      find: "if (isLocked || confirmations < rule.confirmationsMin)", replace: "if (isLocked)",
    },
  },
  {
    id: "maker-deposits-merged", aims: "M6", isMakers,
    says: "deposits of different origin are offered together",
    file: "core/maker/offermath.js", find: "if (mixdepth !== 0 || rule.isZeroMerged)",
    replace: "if (mixdepth >= 0)",
  },
  {
    id: "maker-dust-forgotten", aims: "M6", isMakers,
    says: "an offer takes the whole balance, and leaves no change above dust",
    file: "core/maker/offermath.js",
    find: "return amountSat + o.txfeeSat + dustSat + 1n - offer.feeSat(o, amountSat);",
    replace: "return amountSat + o.txfeeSat - offer.feeSat(o, amountSat);",
  },
  {
    id: "maker-cancel-unsaid", aims: "M6", isMakers,
    says: "what is withdrawn is withdrawn for the maker alone",
    file: "core/maker/offers.js",
    find: "{ block, offers: cancels.length });\n    announce(m, cancels, out);",
    replace: "{ block, offers: cancels.length });",
  },
  {
    id: "maker-cookie-kept", aims: "L2", isMakers,
    says: "a password that is refused is not read again",
    file: "core/chain/bitcoind.js", find: "    send(m, token, talk, true, out);",
    replace: "    send(m, token, talk, false, out);",
  },
  {
    id: "maker-requests-without-end", aims: "L2", isMakers,
    says: "a question that nobody answers is waited for",
    file: "core/requests.js", find: "    const dueAt = after(now, timeoutMs);",
    replace: "    const dueAt = after(now, timeoutMs * 1000);",
  },
];

/**
 * Bugs of what our maker makes of what it is told, of a disk that hangs, and of its own onion.
 * @module
 */
import type { Mutant } from "./mutant.ts";

const isMakers = true as const;
const dedup = "core/maker/dedup.js";
const twice = {
  file: dedup, find: "    assert(!m.signatures.has(key), \"dedup: remembered twice\");\n",
  replace: "",
} as const;

export const makerTalk: readonly Mutant[] = [
  {
    id: "maker-answers-elsewhere", aims: "M6", isMakers,
    says: "a request is answered by the first directory, whichever brought it",
    file: "core/maker/talk.js",
    find: "answerOrderbook(d, from, { via: \"directory\", directory }, t);",
    replace: "answerOrderbook(d, from,\n"
      + "            { via: \"directory\", directory: d.config.directories[0].to }, t);",
  },
  {
    id: "maker-replays-are-new", aims: "M14", isMakers,
    says: "a signed line is known again for as long as copies take, and no longer",
    file: dedup, find: "m.config.windowMs) ? \"duplicate\" : \"replay\";",
    replace: "m.config.windowMs) ? \"duplicate\" : \"new\";", and: twice,
  },
  {
    id: "maker-copies-are-new", aims: "M14", isMakers,
    says: "a copy that comes at once is another request",
    file: dedup, find: "m.config.windowMs) ? \"duplicate\" : \"replay\";",
    replace: "m.config.windowMs) ? \"new\" : \"replay\";", and: twice,
  },
  {
    id: "maker-hanging-disk-trusted", aims: "M6", isMakers,
    says: "offers stay while the disk does not answer",
    file: "core/maker/ledger.js", find: "            d.isDiskSlow = true;\n", replace: "",
  },
  {
    id: "maker-onion-loss-unseen", aims: "M15", isMakers,
    says: "an onion service that is lost counts as served",
    file: "core/tor/standing.js", find: "    s.isUp = false;\n", replace: "",
  },
  {
    id: "maker-onion-told-early", aims: "M15", isMakers,
    says: "an address is told before its key is on the disk",
    file: "core/tor/onion.js",
    find: "    if (keeper.isDurable(m.keeper))\n        standing.announce(",
    replace: "    if (keeper !== undefined)\n        standing.announce(",
  },
  {
    id: "maker-onion-key-anew", aims: "M15", isMakers,
    says: "each process has Tor make another key",
    file: "core/tor/keeper.js", find: "case \"key.loaded\": return loaded(m, ",
    replace: "case \"key.loaded\": return absent(m, event.req, out);\n"
      + "        case \"\": return loaded(m, ",
  },
  {
    id: "maker-onion-given-up", aims: "L1", isMakers,
    says: "a control connection that is lost is not made again",
    file: "core/tor/onion.js",
    find: "move(m, \"failed\", { phase: \"waiting\", dueAt: keeper.retryAt(m, t.now) });",
    replace: "move(m, \"failed\", { phase: \"waiting\", dueAt: NEVER });",
  },
  {
    id: "maker-visits-refused", aims: "L2", isMakers,
    says: "who comes under the maker's own nick is turned away, the maker itself too",
    file: "core/maker/inbound.js", find: "    if (nick === m.config.nick) {\n",
    replace: "    if (nick === m.config.nick)\n"
      + "        return guests.end(m.guests, guest, \"bad-handshake\", t.out);\n"
      + "    if (nick === \"\") {\n",
  },
];

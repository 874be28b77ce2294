/**
 * Bugs of what is relayed to whom, and in whose name (D10), and of budgets.
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const routing: readonly Mutant[] = [
  {
    id: "sender-not-checked", aims: "D10",
    says: "a line may say that anybody sent it",
    file: "core/joinmarket/command.js",
    find: "if (b[from + i] !== sender[i])",
    replace: "if (false)",
  },
  {
    id: "escaped-sender-not-checked", aims: "injection",
    says: "a line with a JSON escape may say that anybody sent it",
    file: "core/joinmarket/command.js",
    find: "if (!line.startsWith(sender) || line.charCodeAt(sender.length) !== BANG)",
    replace: "if (line.charCodeAt(sender.length) !== BANG)",
  },
  {
    id: "any-network-admitted", aims: "D10",
    says: "peers of another network are let in and hear this one",
    file: "core/joinmarket/handshake.js",
    find: `return named === ours || (ours === "regtest" && named === "testnet");`,
    replace: `return named !== "";`,
  },
  {
    id: "extra-keys-relayed", aims: "injection",
    says: "what a sender puts into the envelope besides type and line is relayed",
    file: "core/joinmarket/envelope.js",
    find: "if (e.exact && contentEnd(frame) < frame.length)",
    replace: "if (contentEnd(frame) < frame.length)",
  },
  {
    id: "nick-grammar-not-checked", aims: "injection",
    says: "a nick may hold the separators of peerlists and lines",
    file: "core/joinmarket/nick.js",
    find: "s.length === nickLength && /^J[0-9][1-9A-HJ-NP-Za-km-z]*O*$/.test(s)",
    replace: "s.length === nickLength",
  },
  {
    id: "invented-onion-listed", aims: "injection",
    says: "an onion address with a wrong checksum is taken and listed",
    file: "core/joinmarket/onion.js",
    find: "if (!hasChecksum(host, sha3))",
    replace: "if (false)",
  },
  {
    id: "bucket-off-by-one", aims: "D11",
    says: "the last token of a burst is never given out: a line within its budget is dropped",
    file: "core/limiter.js",
    find: "if (next - scaled > burst * perMs)",
    replace: "if (next - scaled >= burst * perMs)",
  },
  {
    id: "idle-time-hoards-tokens", aims: "starvation",
    says: "a bucket fills beyond its burst while nobody takes from it",
    file: "core/limiter.js",
    find: "(tat === undefined || tat < scaled ? scaled : tat)",
    replace: "(tat === undefined ? scaled : tat)",
  },
  {
    id: "private-flood-ends-target", aims: "starvation",
    says: "private lines may fill the whole queue of a peer that is behind, and so end it",
    file: "core/directory/relay.js",
    find: "return 2 * held > d.config.outbox.bytesMax;",
    replace: "return false;",
  },
  {
    id: "pong-answered-with-ping", aims: "X5",
    says: "a PONG is answered with a PING, for ever",
    file: "core/directory/relay.js",
    find: `case "pong": return;`,
    replace: `case "pong": return send(d, s, envelope.encode(envelope.types.PING, ""), t);`,
  },
];

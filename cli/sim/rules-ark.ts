/**
 * What must hold for the daemon of Ark wallets, for people.
 * @module
 */
import type { Row } from "./rule-rows.ts";

const books =
  "The stand-in's own books say so: look at what the wallet's program did before the daemon asked.";
const asks = "Compare with what was asked and with what the disk had promised by then.";
const heights =
  "The bound follows from what the chain source told this process; look at who lied when.";
const ends = "Peace lasts for hours: look at what failed last, and when it is tried again.";

export const arkRows: readonly Row[] = [
  ["A1", "coins are conserved",
    "What came into a wallet is what it has, paid in fees, claimed, and knows to be lost.",
    "A satoshi that no book has is gone.", books, "crashes during rounds"],
  ["A2", "one action for a VTXO",
    "A VTXO is in one open intent at most, and a wallet has no two calls of one kind at once.",
    "Two refreshes of one VTXO may cost it, or lock it for good.", asks,
    "lost answers, crashes between a call and its answer"],
  ["A3", "no message is passed", "No message lies behind the checkpoint that was not processed.",
    "A payment that was passed is never seen again.", books, "processing errors"],
  ["A4", "nothing is booked twice", "What is delivered again makes no second movement.",
    "Books that count twice hide what is missing.", books, "restarts of programs"],
  ["A5", "durable, whole and not in vain",
    "What moves coins is asked for after its intent is durable, is not cut off, and is not asked " +
      "again while it rests after a rejection.",
    "After a crash nobody else knows what was asked for.", asks, "crashes, full disks"],
  ["A6", "a server with another key is left alone", "No refresh is asked of a barred server.",
    "Whoever holds another key may be somebody else.", asks, "another key"],
  ["A7", "reorganisations do not stop exits",
    "An exit whose blocks were replaced at equal height goes on within a quarter of an hour.",
    "Heights alone do not tell that a transaction is out of the chain.", ends,
    "reorganisations at the tip"],
  ["A8", "exits go on whatever else is stuck",
    "An exit that is under way is driven within 16 minutes of good weather.",
    "An exit that waits for a sync that hangs comes too late.", ends,
    "server slow or gone, streams stuck, disks slow"],
  ["A9", "no storms",
    "A wallet opens at most 260 streams in an hour, nothing is asked of it more than 1,200 " +
      "times, and in no second do more wallets dial than share a turn.",
    "A fleet that dials without waiting takes down a server that comes back.", asks,
    "servers that accept and close"],
  ["A10", "nothing expired is used", "What has expired is neither refreshed nor spent.",
    "The server may have taken it: whoever relies on it relies on nothing.", heights,
    "stale sources, jumps"],
  ["A11", "nothing is waited for without end",
    "A question that may be given up is given up within five minutes.",
    "A lane that waits for an answer that never comes does nothing else any more.", asks,
    "programs that are silent"],
  ["A12", "nothing leaves without permission",
    "Exits are begun, and claimed to the named address, only where the operator allowed it, and " +
      "nothing is claimed before it can be.",
    "An exit costs fees and cannot be taken back.", asks, "any"],
  ["E1", "no stage comes late",
    "At the height that the daemon could have counted, each VTXO has the stage that follows from " +
      "its expiry, its delta and its depth.",
    "An alarm after the deadline is a report of a loss.", heights,
    "stale sources, sources that go back, restarts"],
  ["E2", "stages are told", "What enters a stage is told in that very step.",
    "A stage that nobody hears of helps nobody.", heights, "stale sources, restarts"],
  ["E3", "the truth is not doubted",
    "A height that is true is believed, however far behind the source was before.",
    "Doubt costs half an hour, which a short-lived VTXO may not have.", heights,
    "sources that are behind and catch up"],
  ["E4", "nothing is lost that could be saved",
    "No VTXO of a wallet that may exit is lost after six blocks or more at which its exit could " +
      "have been begun.",
    "That is what the daemon is for.",
    "Chances count blocks at which program, chain and funds were there, and the daemon was well.",
    "outages of servers, crashes, rejected refreshes"],
  ["E5", "what is listed is watched",
    "Each VTXO that a wallet listed last and still has is watched.",
    "What is out of sight expires without a word.", heights,
    "programs that fail or answer nonsense"],
  ["L6", "wallets are seen and at rest",
    "Three hours after the heal each wallet is seen, its letters are read, and no state is left " +
      "that time ends.",
    "What stays degraded in good weather is never looked at again.", ends, "any"],
  ["L7", "lanes succeed, and nothing is left behind",
    "Three hours after the heal each lane has succeeded within half an hour, none hangs, and no " +
      "VTXO that could be saved is beyond its margin.",
    "A lane that hangs is an outage that nobody sees.", ends, "silent programs, servers gone"],
];

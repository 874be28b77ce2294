/**
 * What a maker has done since its start.
 * @module
 */
export type Counts = {
  /** Announcements: lines said in public, over all directories. */
  announced: number;
  /** Requests for the order book that came, and that were answered. */
  orderbooks: number;
  orderbooksAnswered: number;
  /** Private lines that came, and why they were not acted on. */
  privateLines: number;
  malformed: number;
  /** Commands that this maker does not serve. */
  passed: number;
  duplicates: number;
  replays: number;
  forged: number;
  /** Requests for a coinjoin, each answered with an error. */
  fills: number;
  /** Replies that were sent; that nobody took; that waited in vain for a signature. */
  replies: number;
  undeliverable: number;
  unsigned: number;
  signatures: number;
  questions: number;
  questionsFailed: number;
  records: number;
  recordsRefused: number;
};

/** All zero. */
export function create(): Counts {
  return {
    announced: 0, orderbooks: 0, orderbooksAnswered: 0, privateLines: 0, malformed: 0, passed: 0,
    duplicates: 0, replays: 0, forged: 0, fills: 0, replies: 0, undeliverable: 0, unsigned: 0,
    signatures: 0, questions: 0, questionsFailed: 0, records: 0, recordsRefused: 0,
  };
}

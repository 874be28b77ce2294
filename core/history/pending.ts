/**
 * Records that are asked for and not durable yet, and what the next write holds of them.
 *
 * Rule 1: the order of asking is the order in the file. Records stay here until they are durable,
 * so that a write that failed can be made again.
 * Rule 2: both bounds of the queue refuse the newcomer; nothing that was taken is dropped.
 * Not known here: files, and what bodies mean.
 * @module
 */
import { assert } from "../assert.ts";
import { concat } from "../bytes.ts";
import * as record from "./record.ts";

export type Config = {
  /** A record's body, in bytes. 65,536. */
  readonly bodyBytesMax: number;
  /** Records that are asked for and not durable; beyond, they are refused. 4,096. */
  readonly queueRecordsMax: number;
  /** Their bodies, each with the largest frame, in bytes. 8 MiB. */
  readonly queueBytesMax: number;
  /** One write: records, and bytes. 1,024 and 256 KiB. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
};

export const defaults: Config = {
  bodyBytesMax: 65_536, queueRecordsMax: 4_096, queueBytesMax: 8_388_608, batchRecordsMax: 1_024,
  batchBytesMax: 262_144,
};

/** One record; `token` is its asker's. */
export type Asked = { readonly token: number; readonly body: string };

export type Pending = {
  readonly config: Config;
  /** Oldest first; the first `writing` are in the last write. */
  readonly queue: Asked[];
  queueBytes: number;
  writing: number;
  writingBytes: number;
};

/** Nothing waits. Asserts the relations of `config`. */
export function create(config: Config): Pending {
  const { batchBytesMax, bodyBytesMax, queueBytesMax } = config;
  assert(bodyBytesMax >= 1, "a record has a body");
  assert(bodyBytesMax <= record.bodyBytesCap, "the format bounds a body");
  assert(batchBytesMax >= bodyBytesMax + record.frameBytesMax, "a write holds any record");
  assert(config.batchRecordsMax >= 1, "a write holds a record");
  assert(queueBytesMax >= bodyBytesMax + record.frameBytesMax, "the queue holds any record");
  assert(config.queueRecordsMax >= 1, "the queue holds a record");
  return { config, queue: [], queueBytes: 0, writing: 0, writingBytes: 0 };
}

/** Takes a record, or says why not: `long` is its body, or too much waits (`behind`). */
export function ask(m: Pending, token: number, body: string): "behind" | "long" | undefined {
  const { bodyBytesMax, queueBytesMax, queueRecordsMax } = m.config;
  if (body.length > bodyBytesMax) return "long";
  assert(record.isBody(body), "a body is printable ASCII");
  const queueBytes = m.queueBytes + lineBytesMax(body);
  if (m.queue.length >= queueRecordsMax || queueBytes > queueBytesMax) return "behind";
  m.queue.push({ token, body });
  m.queueBytes = queueBytes;
  return undefined;
}

/** The most that the line of a body takes in a file. */
export function lineBytesMax(body: string): number {
  return body.length + record.frameBytesMax;
}

/** The lines of as many records as one write holds, when `known` records are durable. */
export function batch(m: Pending, known: number): Uint8Array {
  const { batchRecordsMax, batchBytesMax } = m.config;
  const lines: Uint8Array[] = [];
  let size = 0;
  for (const { body } of m.queue) {
    if (lines.length >= batchRecordsMax || size + lineBytesMax(body) > batchBytesMax) break;
    const line = record.encode(known + lines.length + 1, known, body);
    lines.push(line);
    size += line.length;
  }
  m.writing = lines.length;
  m.writingBytes = size;
  return concat(lines, size);
}

/** The last write is durable: its records, in order. They wait no longer. */
export function take(m: Pending): readonly Asked[] {
  const written = m.queue.splice(0, m.writing);
  for (const { body } of written) m.queueBytes -= lineBytesMax(body);
  m.writing = 0;
  m.writingBytes = 0;
  return written;
}

/** Everything that waits, in order. It waits no longer. */
export function giveUp(m: Pending): readonly Asked[] {
  m.writing = 0;
  m.writingBytes = 0;
  m.queueBytes = 0;
  return m.queue.splice(0);
}

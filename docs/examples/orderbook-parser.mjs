/**
 * Reads what a JoinMarket directory sends, in any split of the byte stream, and prints the offers in it.
 *
 *     node docs/examples/orderbook-parser.mjs [capture]
 *
 * Without a file it reads a capture of four lines, one byte at a time.
 */
import { readFileSync } from "node:fs";
import { ascii } from "dogwatch/bytes";
import * as command from "dogwatch/joinmarket/command";
import * as envelope from "dogwatch/joinmarket/envelope";
import * as lines from "dogwatch/joinmarket/lines";
import * as offer from "dogwatch/joinmarket/offer";

const capture = [
  '{"type": 687, "line": "J5Ckon1LuuapPSBM!PUBLIC!sw0reloffer 0 100000 5000000000 0 0.00002"}',
  '{"type": 687, "line": "J5BGti5vv34qZj9h!PUBLIC!sw0absoffer 1 27300 100000000 0 250"}',
  '{"type": 687, "line": "J5BL6dsvYshHFc3n!PUBLIC!orderbook"}',
  "this line is not an envelope",
];

const path = process.argv[2];
const bytes = path === undefined ? ascii(`${capture.join("\r\n")}\r\n`) : readFileSync(path);

/** @type {Uint8Array[]} */
const frames = [];
const stream = lines.create();
for (let i = 0; i < bytes.length; i += 1) {
  const fits = lines.feed(stream, bytes.subarray(i, i + 1), envelope.lineBytesMax, frames);
  if (!fits) throw new Error("a line is too long");
}

const scanned = envelope.create();
for (const frame of frames) {
  const fault = envelope.scan(frame, scanned);
  if (fault !== undefined) {
    console.error(`skipped: ${fault.text}`);
    continue;
  }
  if (scanned.type !== envelope.types.PUBMSG) continue;
  const line = command.parseLine(envelope.content(frame, scanned));
  if (!line.ok) continue;
  for (const one of line.value.commands) {
    const announced = offer.isOffer(one.word) ? offer.parse(one) : undefined;
    if (announced?.ok !== true) continue;
    const { kind, oid, minsizeSat, maxsizeSat } = announced.value;
    const feeSat = offer.feeSat(announced.value, 10_000_000n);
    console.log(`${line.value.from} ${kind} ${oid}: ${minsizeSat} to ${maxsizeSat} sat, ${feeSat} for 0.1 BTC`);
  }
}

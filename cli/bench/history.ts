/**
 * `npm run bench:history`: how long it takes to read a journal of a million records into a book,
 * against a bare `JSON.parse` loop over the same lines.
 *
 * Rule 1: both sides begin with the bytes of the file in memory and are run in turns in one
 * process, one warm-up each; the medians are compared.
 * Rule 2: the yardstick decodes its lines before its clock starts: it pays for parsing and for
 * nothing else. Ours pays for checksums, texts, checks and indexes.
 * @module
 */
import { parseArgs } from "node:util";
import * as book from "../../core/history/book.ts";
import * as record from "../../core/history/record.ts";
import { nowUs } from "./clock.ts";
import { type Journal, journal as made } from "./journal.ts";

const ratioMax = 3;
const help = `usage: bench:history [--records N] [--rounds N] [--json]
Exit code: 0 the promised ratio is kept; 1 it is not; 2 usage.
`;

function main(): number {
  const { values } = parseArgs({
    options: {
      records: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [records, rounds] = [Number(values.records), Number(values.rounds)];
  const isUsage = Number.isSafeInteger(records) && records >= 100 && rounds >= 1 && rounds <= 100;
  if (values.help || !isUsage) {
    process[values.help ? "stdout" : "stderr"].write(help);
    return values.help ? 0 : 2;
  }
  const journal = made(records, "confirmed");
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [mine, theirs] = [timed(() => recover(journal)), timed(() => parse(journal))];
    if (round === 0) continue;
    ours.push(mine);
    bare.push(theirs);
  }
  return told(journal, median(ours), median(bare), values.json);
}

function told(journal: Journal, oursMs: number, bareMs: number, isJson: boolean): number {
  const { bytes, lines } = journal;
  const ratio = oursMs / bareMs;
  const isKept = ratio <= ratioMax;
  const report = {
    schema: 1, records: lines.length, bytes: bytes.length, recoveryMs: Math.round(oursMs),
    parseMs: Math.round(bareMs), ratio: Number(ratio.toFixed(2)), ratioMax, isKept,
  };
  process.stdout.write(isJson ? `${JSON.stringify(report)}\n`
    : `history: ${report.records} records, ${Math.round(bytes.length / 1e6)} MB: recovered in `
      + `${report.recoveryMs} ms; bare JSON.parse ${report.parseMs} ms; ratio ${report.ratio} `
      + `(${isKept ? "within" : "ABOVE"} ${ratioMax})\n`);
  return isKept ? 0 : 1;
}

function recover({ bytes, lines }: Journal): void {
  const found = record.scan(bytes, 4_194_304);
  if (!found.ok) throw new Error(found.fault.text);
  const m = book.create(book.defaults);
  book.load(m, bytes, found.value.end, () => {});
  if (m.lastSeq !== lines.length) throw new Error("records are missing");
}

function parse({ lines }: Journal): void {
  let count = 0;
  for (const line of lines) if (JSON.parse(line) !== null) count += 1;
  if (count !== lines.length) throw new Error("lines are missing");
}

function timed(act: () => void): number {
  const from = nowUs();
  act();
  return (nowUs() - from) / 1_000;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

process.exitCode = main();

/**
 * The load generator: one process, one row, one server; prints one JSON object.
 *
 * Works against any JoinMarket directory by address: `node build/cli/bench/load.js --connect
 * 127.0.0.1:5222 --row broadcast --n 1000 --network testnet --server-pid 1234`.
 * @module
 */
import { parseArgs } from "node:util";
import { alarm, nowUs } from "./clock.ts";
import { openFilesMax, ownCpuUs } from "./proc.ts";
import { broadcast } from "./rows/broadcast.ts";
import { burst } from "./rows/burst.ts";
import { handshake } from "./rows/handshake.ts";
import type { Job, Outcome, Row } from "./rows/job.ts";
import { massLeave } from "./rows/leave.ts";
import { memory } from "./rows/memory.ts";
import { one } from "./rows/one.ts";
import { hinted, plain } from "./rows/private.ts";
import { stuck } from "./rows/stuck.ts";

const rows: ReadonlyMap<string, Row> = new Map([
  ["handshake", handshake],
  ["memory", memory],
  ["one", one],
  ["broadcast", broadcast],
  ["private", plain],
  ["hinted", hinted],
  ["burst", burst],
  ["leave", massLeave],
  ["stuck", stuck],
]);

/** What one run prints. */
export type Report = Outcome & {
  readonly row: string;
  readonly n: number;
  /** The generator's own CPU and wall seconds, joining included. */
  readonly generatorCpuSec: number;
  readonly wallSec: number;
};

/** Files that a process needs besides its sockets. */
const filesSpare = 150;

const help = `usage: load --connect HOST:PORT --row ROW --n PEERS [options]
  rows: ${[...rows.keys()].join(", ")}
  --server-pid PID   read the server's CPU time and memory from /proc
  --network NAME     network name in the handshake (regtest)
  --window LINES     lines of each sender under way in a closed loop (5)
  --repetitions N    (3)
  --duration-ms MS   of one repetition (3000)
  --rest-ms MS       rest before memory is read (10000)
  --limit-sec S      give up after this long (180)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      connect: { type: "string" },
      row: { type: "string" },
      n: { type: "string" },
      network: { type: "string", default: "regtest" },
      "server-pid": { type: "string" },
      window: { type: "string", default: "5" },
      repetitions: { type: "string", default: "3" },
      "duration-ms": { type: "string", default: "3000" },
      "rest-ms": { type: "string", default: "10000" },
      "limit-sec": { type: "string", default: "180" },
      help: { type: "boolean", default: false },
    },
  });
  const row = rows.get(values.row ?? "");
  const address = /^(.+):(\d+)$/.exec(values.connect ?? "");
  const n = Number(values.n);
  if (values.help || row === undefined || address === null || !(n > 0)) {
    process.stderr.write(help);
    return values.help ? 0 : 2;
  }
  const pid = values["server-pid"];
  const job: Job = {
    host: address[1] ?? "",
    port: Number(address[2]),
    network: values.network,
    n,
    serverPid: pid === undefined ? undefined : Number(pid),
    window: Number(values.window),
    repetitions: Number(values.repetitions),
    durationMs: Number(values["duration-ms"]),
    restMs: Number(values["rest-ms"]),
  };
  if (n + filesSpare > openFilesMax()) {
    process.stderr.write(`${n} peers do not fit into ${openFilesMax()} open files\n`);
    return 2;
  }
  return measure(values.row ?? "", row, job, Number(values["limit-sec"]));
}

async function measure(name: string, row: Row, job: Job, limitSec: number): Promise<number> {
  alarm(limitSec * 1_000, () => {
    process.stderr.write(`not finished after ${limitSec} s\n`);
    process.exit(1);
  });
  const startUs = nowUs();
  const outcome = await row(job);
  const generatorCpuSec = ownCpuUs() / 1e6;
  const wallSec = (nowUs() - startUs) / 1e6;
  const report: Report = { row: name, n: job.n, ...outcome, generatorCpuSec, wallSec };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);

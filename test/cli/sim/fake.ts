/**
 * A simulator that takes no time: what becomes of a seed is read off the seed. For tests of the
 * commands around it.
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a folder that `--lib` takes. The lowest byte of a seed decides: 0x33 breaks D2, 0x55
 * breaks L1, both as long as fault 7 is there. Of seeds below 256, 0x66 uses up the budget, 0x77
 * ends the process, 0x88 reaches for the clock, 0x99 is never done, 0xaa differs from run to run,
 * 0xbb throws.
 */
export function fakeLib(folder: string): string {
  mkdirSync(join(folder, "sim"), { recursive: true });
  writeFileSync(join(folder, "package.json"), `{"type": "module"}\n`);
  writeFileSync(join(folder, "sim", "generate.js"), generate);
  writeFileSync(join(folder, "sim", "runner.js"), runner);
  return folder;
}

const generate = `
export function generate(profile, seed) {
  return {
    simVersion: 1, name: profile, seed,
    nodes: [{ id: "dir0", kind: "directory" }, { id: "maker0", kind: "maker", speaks: "new" }],
    net: { latencyMinUs: 1000, latencyMeanUs: 1000, segment: "whole",
      sendBufferBytes: 65536, receiveBufferBytes: 65536 },
    host: { stepUs: 0, effectUs: 0, timerLateUs: 0 },
    workload: [],
    faults: [5, 6, 7, 8, 9].map((id) => (
      { id, at: id * 60000, kind: "pause", node: "maker0", forMs: 30000 })),
    triggers: [],
    phases: { faultyMs: 600000, core: ["dir0", "maker0"], convergeMs: 600000, fates: [] },
  };
}
`;

const runner = `
let runs = 0;
export function run(scenario) {
  runs += 1;
  const low = Number(BigInt(scenario.seed) & 0xffn);
  const isOdd = BigInt(scenario.seed) < 256n;
  const hasCause = scenario.faults.some((fault) => fault.id === 7);
  if (isOdd && low === 0x77) process.exit(9);
  if (isOdd && low === 0x88) Date.now();
  if (isOdd && low === 0x99) for (;;);
  if (isOdd && low === 0xbb) throw new Error("thrown by the engine");
  const digest = isOdd && low === 0xaa ? String(process.pid) + runs : "d" + scenario.seed.slice(2);
  const fails = hasCause && (low === 0x33 || low === 0x55);
  const id = low === 0x33 ? "D2" : "L1";
  const finding = fails ? {
    id, node: "dir0", says: "conn " + Number(BigInt(scenario.seed) >> 8n) + " is wrong",
    shape: id + ": conn N is wrong", step: 40, atUs: 5000000, pending: [],
  } : undefined;
  const verdict = fails ? (low === 0x33 ? "safety" : "liveness")
    : isOdd && low === 0x66 ? "budget" : "pass";
  return {
    verdict, finding, digest, checkpoints: [], steps: 1000 - (low === 0x33 ? Number(
      (BigInt(scenario.seed) >> 8n) % 100n) : 0),
    virtualMs: 1200000, goals: low % 2 === 0 ? { S1: 10 } : { S2: 20 },
    faults: { pause: { fired: 5, active: low % 5 } }, gauges: { outbox: low }, idle: [],
  };
}
export function begin(scenario) { return { scenario, world: { steps: 0 }, done: undefined }; }
export function advance(one) {
  one.world.steps += 1;
  if (one.world.steps === 5) one.done = run(one.scenario);
  return one.world.steps < 10;
}
export function outcome(one) { return one.done ?? run(one.scenario); }
`;

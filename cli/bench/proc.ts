/**
 * What Linux says about a process: CPU time, resident memory, open-file limit, and how full its
 * sockets are.
 *
 * Rule 1: reads `/proc` only; on another system each function throws with the path that is missing.
 * Rule 2: CPU counts every thread of the process, user and system time.
 * @module
 */
import { readFileSync } from "node:fs";
import { assert } from "../../core/assert.ts";

/** `/proc/<pid>/stat` counts in ticks of 10 ms on every Linux that Node supports. */
const tickUs = 10_000;

/** User and system CPU time of `pid` so far, in microseconds, 10,000 at a time. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is a name in parentheses that may hold spaces: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  assert(Number.isSafeInteger(ticks), `no CPU time in /proc/${pid}/stat`);
  return ticks * tickUs;
}

/** This process's CPU time so far, in microseconds. */
export function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Resident memory of `pid`, in bytes. */
export function rssBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  assert(found !== null, `no VmRSS in /proc/${pid}/status`);
  return Number(found[1]) * 1024;
}

/** How many files this process may have open. */
export function openFilesMax(): number {
  const limits = readFileSync("/proc/self/limits", "latin1");
  const found = /^Max open files\s+(\S+)/m.exec(limits);
  assert(found !== null, "no open-file limit in /proc/self/limits");
  return found[1] === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(found[1]);
}

/**
 * Bytes that the kernel holds on both ends of a loopback TCP connection (IPv4), found by the
 * client's local port and the server's port: what the server wrote and the client has not read.
 * Zero when there is no such connection.
 */
export function heldBytes(clientPort: number, serverPort: number): number {
  let held = 0;
  for (const line of readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const local = portOf(fields[1]);
    const remote = portOf(fields[2]);
    const [sending, waiting] = (fields[4] ?? "0:0").split(":");
    if (local === serverPort && remote === clientPort) held += Number.parseInt(sending ?? "0", 16);
    if (local === clientPort && remote === serverPort) held += Number.parseInt(waiting ?? "0", 16);
  }
  return held;
}

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(":")[1] ?? "0", 16);
}

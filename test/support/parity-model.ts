/**
 * Runs a script on the simulated network.
 * @module
 */
import assert from "node:assert/strict";
import { unreachable } from "../../core/assert.ts";
import type { ConnId } from "../../core/ids.ts";
import * as prng from "../../core/prng.ts";
import * as network from "../../sim/network.ts";
import type { NetItem, Network, Socket, Told } from "../../sim/network.ts";
import * as queue from "../../sim/queue.ts";
import type { Net } from "../../sim/scenario.ts";
import {
  note, pattern, type End, type Heard, type Observed, type Script, type Step,
} from "./parity.ts";

type Process = {
  readonly node: number;
  readonly heard: Heard;
  socket: Socket | undefined;
  sent: number;
  got: number;
  isAlive: boolean;
};

type Model = {
  readonly n: Network;
  readonly items: queue.Queue<unknown>;
  readonly inbox: [Socket, Told][];
  readonly client: Process;
  readonly server: Process;
  nowUs: number;
};

const loopback: Net = {
  latencyMinUs: 20, latencyMeanUs: 50, segment: "whole",
  sendBufferBytes: 1_000_000, receiveBufferBytes: 500_000,
};

export function runModel(script: Script, seed: string, net: Partial<Net> = {}): Observed {
  const key = prng.key(seed);
  const items = queue.create<unknown>(prng.stream(key, "ties"));
  const inbox: [Socket, Told][] = [];
  const host = { told: (socket: Socket, what: Told) => void inbox.push([socket, what]) };
  const n = network.create({ ...loopback, ...net }, key, 2, host, items);
  network.listen(n, 1, true);
  const m: Model = { n, items, inbox, client: processOf(0), server: processOf(1), nowUs: 0 };
  for (const step of script.steps) take(m, step);
  // Nobody looks after the last step: what else comes would be a surprise.
  while (advance(m)) look(m);
  return { client: m.client.heard, server: m.server.heard };
}

function processOf(node: number): Process {
  return { node, heard: [], socket: undefined, sent: 0, got: 0, isAlive: true };
}

function take(m: Model, step: Step): void {
  switch (step.do) {
    case "open":
      dial(m);
      return until(m, () => m.client.heard.includes("open") && m.server.heard.includes("open"));
    case "openClosed":
      network.listen(m.n, 1, false);
      dial(m);
      return until(m, () => m.client.heard.length > 0);
    case "send": return send(m, processAt(m, step.end), step.bytes);
    case "hold": return network.stall(m.n, 0, true);
    case "release": return network.stall(m.n, 0, false);
    case "flush": case "abort":
      return network.close(m.n, processAt(m, step.end).socket as Socket, step.do, m.nowUs);
    case "kill":
      m.client.isAlive = false;
      return network.died(m.n, 0, false, m.nowUs);
    case "wire":
      for (let i = 0; i < 1_000 && advance(m); i += 1);
      return;
    case "got": {
      const end = processAt(m, step.end);
      return until(m, () => end.got >= step.bytes);
    }
    case "told": {
      const { heard } = processAt(m, step.end);
      const isIt = (one: string | number): boolean =>
        step.what === "end" ? String(one).startsWith("end ") : one === step.what;
      return until(m, () => heard.some(isIt));
    }
  }
}

function processAt(m: Model, end: End): Process {
  return end === "client" ? m.client : m.server;
}

function dial(m: Model): void {
  m.client.socket = network.dial(m.n, 0, 1, m.nowUs);
  m.client.socket.conn = 2 as ConnId;
}

function send(m: Model, from: Process, size: number): void {
  network.send(m.n, from.socket as Socket, pattern(from.sent, size), m.nowUs);
  from.sent += size;
}

function until(m: Model, holds: () => boolean): void {
  look(m);
  for (let i = 0; !holds(); i += 1) {
    assert.ok(i < 100_000, "the model goes on for ever");
    assert.ok(advance(m), "nothing more happens in the model");
    look(m);
  }
}

function advance(m: Model): boolean {
  const atUs = queue.nextAt(m.items);
  if (atUs === undefined) return false;
  m.nowUs = atUs;
  network.due(m.n, queue.pop(m.items) as NetItem, atUs);
  return true;
}

/** The processes look at what they were told. */
function look(m: Model): void {
  for (let at = 0; at < m.inbox.length; at += 1) {
    const [socket, what] = m.inbox[at] as [Socket, Told];
    const process = socket.node === 0 ? m.client : m.server;
    if (process.isAlive) hear(m, process, socket, what);
  }
  m.inbox.length = 0;
}

function hear(m: Model, process: Process, socket: Socket, what: Told): void {
  switch (what) {
    case "opened":
      process.socket = socket;
      socket.conn = 1 as ConnId;
      return note(process.heard, "open", 0);
    case "dialed": return note(process.heard, "open", 0);
    case "refused": case "timeout": case "unreachable":
      return note(process.heard, `failed ${what}`, 0);
    case "readable": {
      const bytes = network.read(m.n, socket, 65_536, m.nowUs);
      if (bytes === undefined) return;
      note(process.heard, bytes, process.got);
      process.got += bytes.length;
      return;
    }
    case "congested": case "drained": return note(process.heard, what, 0);
    case "eof": case "reset": case "error": case "aborted": case "closed":
      return note(process.heard, `end ${what}`, 0);
    default: return unreachable(what);
  }
}

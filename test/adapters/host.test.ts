import assert from "node:assert/strict";
import * as fs from "node:fs";
import test from "node:test";
import FakeTimers from "@sinonjs/fake-timers";
import { createAmbient } from "../../adapters/ambient.ts";
import { createHost, type Host, type HostOptions } from "../../adapters/host.ts";
import { open, readLines } from "../../adapters/tracefile.ts";
import type { ConnId } from "../../core/ids.ts";
import { mono } from "../../core/time.ts";
import { secret } from "../../core/secret.ts";
import type * as trace from "../../core/kernel/trace.ts";
import { replay } from "../../sim/replay.ts";
import { withFolder } from "../support/sockets.ts";
import {
  bytesOf, quietMs, toyKernel, type Toy, type ToyEffect, type ToyEvent,
} from "../support/toy.ts";

type Options = HostOptions<Toy, ToyEvent, ToyEffect>;
type Scene = {
  readonly host: Host<ToyEvent>;
  readonly performed: ToyEffect[];
  readonly logged: string[];
  readonly stderr: string[];
  readonly fatal: unknown[];
  readonly clock: FakeTimers.Clock;
};

const ambient = createAmbient();
const conn = 1 as ConnId;
const opened: ToyEvent = { type: "conn.opened", conn };

function received(text: string): ToyEvent {
  return { type: "conn.received", conn, bytes: bytesOf(text) };
}

/** A host over the toy, under a clock that stands still until it is moved. */
function withHost(changes: Partial<Options>, use: (scene: Scene) => void): void {
  const clock = FakeTimers.install({ now: 1_700_000_000_000 });
  const performed: ToyEffect[] = [];
  const logged: string[] = [];
  const stderr: string[] = [];
  const fatal: unknown[] = [];
  const perform = (effect: ToyEffect): void => void performed.push(effect);
  const host = createHost<Toy, ToyEvent, ToyEffect>({
    kernel: toyKernel(ambient.now()),
    ambient,
    perform: { "conn.send": perform, "conn.close": perform, log: perform },
    anchored: ({ unixMs }) => ({ type: "clock.anchored", unixMs }),
    log: (level, code) => void logged.push(`${level} ${code}`),
    stderr: (text) => void stderr.push(text),
    onFatal: (exitCode, error) => void fatal.push([exitCode, (error as Error).message]),
    ...changes,
  });
  try {
    use({ host, performed, logged, stderr, fatal, clock });
    host.stop();
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
}

test("adapters: host: effects are carried out in order, and the wake comes at its instant", () => {
  withHost({}, ({ host, performed, clock }) => {
    host.start();
    host.push(opened);
    host.push(received("a"));
    assert.deepEqual(performed.map((effect) => effect.type), ["conn.send"]);
    clock.tick(quietMs - 1);
    assert.equal(performed.length, 1);
    clock.tick(1);
    assert.deepEqual(performed.map((effect) => effect.type), ["conn.send", "log"]);
  });
});

test("adapters: host: what an effect causes waits until the step is done", () => {
  const order: string[] = [];
  let host: Host<ToyEvent> | undefined;
  const kernel = toyKernel(mono(0));
  const perform = {
    "conn.send": () => {
      order.push(`send at ${kernel.steps}`);
      if (order.length === 1) host?.push(received("echo"));
      order.push(`done at ${kernel.steps}`);
    },
    "conn.close": () => undefined,
    log: () => undefined,
  };
  withHost({ kernel, perform }, (scene) => {
    host = scene.host;
    host.push(opened);
    host.push(received("a"));
    assert.deepEqual(order, ["send at 2", "done at 2", "send at 3", "done at 3"]);
  });
});

test("adapters: host: a back-stop tick that changes nothing is silent", () => {
  withHost({}, ({ host, logged, clock }) => {
    host.start();
    host.push(opened);
    clock.tick(600_000);
    assert.deepEqual(logged, []);
    assert.equal(host.counts.backstopRescues, 0);
  });
});

test("adapters: host: a forgotten deadline is rescued, counted and logged as an error", () => {
  withHost({}, ({ host, logged, performed, clock }) => {
    host.start();
    host.push(opened);
    host.push(received("?"));
    clock.tick(59_999);
    assert.equal(performed.length, 1);
    clock.tick(1);
    assert.equal(performed.at(-1)?.type, "log");
    assert.equal(host.counts.backstopRescues, 1);
    assert.deepEqual(logged, ["error host.backstop-rescue"]);
  });
});

test("adapters: host: a deadline that is due just then is no rescue", () => {
  withHost({ backstopMs: 1_000 }, ({ host, performed, clock }) => {
    host.start();
    clock.tick(1_000 - quietMs);
    host.push(opened);
    host.push(received("a"));
    clock.tick(quietMs);
    assert.equal(performed.at(-1)?.type, "log");
    assert.equal(host.counts.backstopRescues, 0);
  });
});

test("adapters: host: wall time is told at start and after a jump", () => {
  const kernel = toyKernel(mono(0));
  withHost({ kernel }, ({ host, clock }) => {
    host.start();
    assert.equal(kernel.steps, 1);
    clock.tick(60_000);
    assert.equal(kernel.steps, 2);
    clock.setSystemTime(1_800_000_000_000);
    clock.tick(60_000);
    assert.equal(kernel.steps, 4);
  });
});

test("adapters: host: a broken invariant writes the tail and ends with 13", () => {
  withHost({}, ({ host, stderr, fatal, logged, performed }) => {
    host.push(opened);
    for (let i = 0; i < 300; i += 1) host.push(received(`${i}`));
    host.push(received("!"));
    host.push(received("nobody listens"));
    assert.deepEqual(fatal, [[13, "told to break"]]);
    assert.deepEqual(logged, ["error host.broken-invariant"]);
    assert.equal(performed.length, 300);
    const lines = stderr.join("").trimEnd().split("\n");
    assert.equal(lines.length, 257);
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { i: number }).i),
      Array.from({ length: 257 }, (_, at) => 45 + at),
    );
    assert.match(lines.at(-1) ?? "", /"died":"told to break"/);
  });
});

test("adapters: host: the crash report goes to its folder, many effects cut short", async () => {
  await withFolder((folder) => {
    withHost({ crashFolder: folder }, ({ host, stderr }) => {
      for (let id = 1; id < 41; id += 2) host.push({ type: "conn.opened", conn: id as ConnId });
      host.push(received("a"));
      host.push(received("!"));
      assert.deepEqual(stderr, []);
    });
    const [name] = fs.readdirSync(folder);
    assert.equal(name, "crash-1700000000000.trace");
    const text = fs.readFileSync(`${folder}/${name}`, "utf8");
    assert.match(text, /"fx":\["conn\.send#16","of 21 effects"\]/);
  });
});

test("adapters: host: an effect that cannot be carried out is a bug too", () => {
  const broken = (): void => {
    throw new Error("no such socket");
  };
  const perform = { "conn.send": broken, "conn.close": broken, log: broken };
  withHost({ perform }, ({ host, fatal, stderr }) => {
    host.push(opened);
    host.push(received("a"));
    assert.deepEqual(fatal, [[13, "no such socket"]]);
    assert.equal(stderr.join("").trimEnd().split("\n").length, 2);
  });
});

const header: trace.Header = {
  kind: "toy", version: "0.1.0", node: "v20", config: {}, seed: new Uint8Array(4),
  startedAt: mono(0), startedUnixMs: 1_700_000_000_000,
};

test("adapters: host: a recorded run replays bit for bit, a broken one too", async () => {
  await withFolder((folder) => {
    for (const ends of ["stopped", "broken"]) {
      const file = open(`${folder}/${ends}`, (failure) => assert.fail(failure.text));
      assert.ok(file.ok);
      withHost({ trace: { file: file.file, header } }, ({ host, clock }) => {
        host.start();
        host.push(opened);
        host.push(received("a"));
        clock.tick(60_000);
        if (ends === "broken") host.push(received("!"));
      });
      const verdict = replay(readLines(`${folder}/${ends}`), (read) => toyKernel(read.startedAt));
      assert.deepEqual(verdict, {
        ok: true, steps: 5, torn: false, footer: ends === "stopped",
        died: ends === "stopped" ? undefined : "told to break",
      });
    }
  });
});

test("adapters: host: a recording seals secrets under a key of its own", async () => {
  await withFolder((folder) => {
    const seals = ["one", "two"].map((name) => {
      const file = open(`${folder}/${name}`, (failure) => assert.fail(failure.text));
      assert.ok(file.ok);
      const held = { type: "clock.anchored", unixMs: 1, key: secret(bytesOf("hunter2")) };
      withHost({ trace: { file: file.file, header } }, ({ host }) => {
        host.start();
        host.push(held as unknown as ToyEvent);
      });
      const text = [...readLines(`${folder}/${name}`)].join("");
      assert.doesNotMatch(text, /hunter2/);
      assert.ok(replay(readLines(`${folder}/${name}`), (read) => toyKernel(read.startedAt)).ok);
      return /"secret":"([0-9a-f]{16})"/.exec(text)?.[1];
    });
    assert.ok(seals[0] !== undefined);
    assert.notEqual(seals[0], seals[1]);
  });
});

test("adapters: host: a full disk ends the recording and not the daemon", (t) => {
  if (!fs.existsSync("/dev/full")) return t.skip("no /dev/full here");
  let host: Host<ToyEvent> | undefined;
  const file = open("/dev/full", (failure) => host?.traceFailed(failure));
  assert.ok(file.ok);
  withHost({ trace: { file: file.file, header } }, (scene) => {
    host = scene.host;
    host.start();
    host.push(opened);
    scene.clock.tick(1_000);
    assert.deepEqual(scene.logged, ["error host.recording-stopped"]);
    host.push(received("a"));
    host.push(received("b"));
    assert.equal(scene.performed.length, 2);
    assert.equal(host.counts.unrecorded, 2);
    scene.clock.tick(10_000);
    assert.equal(scene.logged.length, 1);
  });
});

test("adapters: host: nothing happens after stop", () => {
  withHost({}, ({ host, performed }) => {
    host.push(opened);
    host.stop();
    host.push(received("a"));
    assert.deepEqual(performed, []);
  });
});

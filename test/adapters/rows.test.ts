/**
 * Rows of bad input that reach the host side (`test/tidy/rows.json`): the message of the day, a
 * full disk under a recording, a folder without rights.
 * @module
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import test from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { load, type Loaded } from "../../adapters/config.ts";
import { createHost } from "../../adapters/host.ts";
import { listenOn } from "../../adapters/listen.ts";
import { open, type TraceFile } from "../../adapters/tracefile.ts";
import { defaults } from "../../core/directory/config.ts";
import type { ConnId } from "../../core/ids.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as directory from "../support/directory.ts";
import { withFolder } from "../support/sockets.ts";
import { bytesOf, toyKernel, type Toy, type ToyEffect, type ToyEvent } from "../support/toy.ts";

/** The settings with this message of the day. */
function withMotd(motd: string): Loaded {
  const flags = [{ key: "directory.motd", flag: "--motd", raw: motd }];
  return load({ file: undefined, env: {}, flags });
}

test("adapters: rows: row 10/T23-motd: printable ASCII and line feeds, sent word for word", () => {
  const printable = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i));
  for (const motd of ["", "Hello\nthere", `${printable.join("")}\n`, "x".repeat(1_000)]) {
    const loaded = withMotd(motd);
    assert.ok(loaded.ok, JSON.stringify(motd));
    assert.equal(loaded.settings.directory.motd, motd);
    const node = directory.start({ motd: loaded.settings.directory.motd });
    const conn = directory.join(node, directory.taker(1));
    const [welcome] = directory.frames(node, conn);
    assert.match(welcome?.bytes ?? "", /^[\x20-\x7e]+$/, "the frame is one line of ASCII");
    assert.ok((welcome?.bytes.length ?? 0) < defaults.lineBytesMax);
    const read = handshake.parseDirectory(welcome?.line ?? "");
    assert.ok(read.ok && read.value.accepted);
    assert.equal(read.value.motd, motd);
    assert.equal((JSON.parse(welcome?.line ?? "") as { motd: string }).motd, motd);
  }
});

test("adapters: rows: row 10/T23-motd: any other character is refused with the range", () => {
  const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code));
  const others = [
    ...controls.filter((one) => one !== "\n"), "\x7f", "\x80", "\x9b31m", "é", "\u202e", "\u2028",
    "\ud800", "\u{1f600}",
  ];
  for (const motd of [...others.map((one) => `a${one}b`), "x".repeat(1_001)]) {
    const loaded = withMotd(motd);
    assert.ok(!loaded.ok, JSON.stringify(motd));
    assert.equal(loaded.problems.length, 1);
    const says = loaded.problems[0] ?? "";
    assert.match(says, /directory\.motd = .*: expected up to 1000 characters of printable ASCII$/);
  }
});

test("adapters: rows: row issue/disk-full-recording: told once, each lost step is counted", () => {
  const logged: string[] = [];
  const performed: string[] = [];
  const ambient = createAmbient();
  const path = "/dev/full";
  const opened = open(path, (failure) => host.traceFailed(failure));
  assert.ok(opened.ok);
  const file: TraceFile = opened.file;
  const perform = (effect: ToyEffect): void => void performed.push(effect.type);
  const header = {
    kind: "toy", version: "test", node: process.versions.node, config: {},
    seed: new Uint8Array(32), startedAt: ambient.now(), startedUnixMs: 0,
  };
  const host = createHost<Toy, ToyEvent, ToyEffect>({
    kernel: toyKernel(header.startedAt), ambient,
    perform: { "conn.send": perform, "conn.close": perform, log: perform },
    anchored: ({ unixMs }) => ({ type: "clock.anchored", unixMs }),
    log: (level, code, { text }) => void logged.push(`${level} ${code} ${String(text)}`),
    stderr: (text) => assert.fail(text), onFatal: (_exit, error) => assert.fail(String(error)),
    trace: { file, header },
  });
  const conn = 1 as ConnId;
  host.push({ type: "conn.opened", conn });
  assert.equal(host.counts.unrecorded, 0, "held back, not lost");
  file.flush();
  for (let i = 0; i < 3; i += 1) {
    host.push({ type: "conn.received", conn, bytes: bytesOf("a") });
    file.flush();
  }
  host.stop();
  assert.equal(host.counts.unrecorded, 3);
  assert.deepEqual(logged, [`error host.recording-stopped no space left for ${path}`]);
  // The toy may also log that it was idle: that depends on how fast the machine is.
  const sends = performed.filter((type) => type === "conn.send");
  assert.equal(sends.length, 3, "all else goes on");
});

test("adapters: rows: row issue/missing-rights: a folder that is closed is an answer", async () => {
  await withFolder(async (folder) => {
    const closed = `${folder}/closed`;
    fs.mkdirSync(closed);
    fs.chmodSync(folder, 0o755);
    fs.chmodSync(closed, 0o000);
    const address = { kind: "unix", path: `${closed}/a.sock` } as const;
    const isRoot = process.geteuid?.() === 0;
    // The superuser may enter any folder: the rights of nobody are borrowed for the moment.
    if (isRoot) process.seteuid?.(65_534);
    try {
      const listening = await listenOn(net.createServer(), address, 0o600);
      assert.ok(!listening.ok);
      assert.equal(listening.failure.reason, "denied");
      assert.match(listening.failure.text, /no right to listen on unix:.*closed\/a\.sock/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      fs.chmodSync(closed, 0o700);
    }
  });
});

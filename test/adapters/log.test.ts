import assert from "node:assert/strict";
import test from "node:test";
import FakeTimers from "@sinonjs/fake-timers";
import { createAmbient } from "../../adapters/ambient.ts";
import {
  cleanText, createLog, fieldBytesMax, type Log, type Sentences,
} from "../../adapters/log.ts";
import { createLines } from "../../adapters/stderr.ts";

const sentences: Sentences = {
  "peer.registered": (fields) => `${String(fields["nick"])} is here`,
};

function withLog(
  format: "json" | "pretty",
  use: (log: Log, lines: string[], clock: FakeTimers.Clock) => void,
): void {
  const clock = FakeTimers.install({ now: 1_700_000_000_000 });
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = createLog({
    ambient: createAmbient(), level: "info", format, isTerminal: false, sentences, write,
  });
  try {
    use(log, lines, clock);
    log.close();
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
}

test("adapters: log: one JSON object a line, with code, fields and sentence", () => {
  withLog("json", (log, lines) => {
    log.log("info", "peer.registered", { nick: "J5x", time: 1, msg: "mine" });
    assert.deepEqual(JSON.parse(lines[0] ?? ""), {
      level: "info", time: 1_700_000_000_000, code: "peer.registered",
      fields: { nick: "J5x", time: 1, msg: "mine" }, msg: "J5x is here",
    });
    assert.ok((lines[0] ?? "").endsWith("\n"));
  });
});

test("adapters: log: people read a sentence, or the code with its fields", () => {
  withLog("pretty", (log, lines) => {
    log.log("info", "peer.registered", { nick: "J5x" });
    log.log("warn", "odd.thing", { peers: 3, isFull: true });
    assert.deepEqual(lines, [
      "22:13:20 INFO  J5x is here\n",
      "22:13:20 WARN  odd.thing peers=3 isFull=true\n",
    ]);
  });
});

test("adapters: log: repeated lines are counted and told at the end of the window", () => {
  withLog("pretty", (log, lines, clock) => {
    for (let i = 0; i < 5; i += 1) log.log("warn", "flood", { i });
    log.log("error", "flood", {});
    assert.equal(lines.length, 2);
    clock.tick(9_000);
    assert.equal(lines.length, 2);
    clock.tick(1_000);
    assert.deepEqual(lines.slice(2), ["22:13:30 WARN  … flood repeated 4 times\n"]);
    log.log("warn", "flood", {});
    assert.equal(lines.length, 4);
    assert.equal(log.counts.warn, 6);
  });
});

test("adapters: log: the same of another wallet is no repetition; whose it was is told", () => {
  withLog("pretty", (log, lines, clock) => {
    for (const wallet of ["alice", "bob", "alice", "alice"]) {
      log.log("warn", "ark.fact", { wallet, of: "server", to: "down" });
    }
    log.log("warn", "ark.fact", { wallet: "alice", of: "chain", to: "down" });
    assert.equal(lines.length, 3);
    clock.tick(11_000);
    assert.equal(lines[3], "22:13:30 WARN  … ark.fact (alice server down) repeated 2 times\n");
    assert.equal(lines.length, 4);
    log.log("warn", "ark.fact", { wallet: "alice", of: "server", to: "down" });
    assert.equal(lines.length, 5);
  });
});

test("adapters: log: what many say at once is one event, and later they are heard again", () => {
  withLog("pretty", (log, lines, clock) => {
    const all = (): void => {
      for (let i = 0; i < 100; i += 1) log.log("warn", "ark.fact", { wallet: `w${i}` });
    };
    all();
    // Twenty for themselves, and the first of the others.
    assert.equal(lines.length, 21);
    clock.tick(11_000);
    assert.deepEqual(lines.slice(21), [
      "22:13:30 WARN  … ark.fact repeated 79 times\n",
    ]);
    all();
    assert.equal(lines.length, 22 + 21);
  });
});

test("adapters: log: of another wallet, or of another state, it is no repetition", () => {
  withLog("json", (log, lines) => {
    const fact = (wallet: string, to: string): void => log.log("info", "fact", { wallet, to });
    for (const to of ["down", "up", "down"]) for (const wallet of ["a", "b"]) fact(wallet, to);
    const told = lines.map((line) => (JSON.parse(line) as { fields: unknown }).fields);
    assert.deepEqual(told, [
      { wallet: "a", to: "down" }, { wallet: "b", to: "down" },
      { wallet: "a", to: "up" }, { wallet: "b", to: "up" },
    ]);
  });
});

test("adapters: log: when twenty have said the same, the others are counted together", () => {
  withLog("pretty", (log, lines, clock) => {
    for (let i = 0; i < 30; i += 1) log.log("info", "x", { wallet: `w${i}` });
    assert.equal(lines.length, 21, "the twenty, and the first of the crowd");
    log.log("info", "x", { wallet: "w3" });
    assert.equal(lines.length, 21);
    clock.tick(10_000);
    const repeated = lines.slice(21).map((line) => line.slice(15).trim());
    assert.deepEqual(repeated, ["… x (w3) repeated once", "… x repeated 9 times"]);
    log.log("info", "x", { wallet: "w29" });
    assert.equal(lines.length, 24, "each has a window of its own again");
  });
});

test("adapters: log: what is still counted is told at the end", () => {
  withLog("json", (log, lines) => {
    log.log("info", "x", {});
    log.log("info", "x", {});
    log.close();
    const last = JSON.parse(lines[1] ?? "") as { fields: unknown; msg: string };
    assert.equal(lines.length, 2);
    assert.deepEqual([last.fields, last.msg], [{ repeated: 1 }, "… x repeated once"]);
  });
});

test("adapters: log: a window that is over ends before the next line of its code", () => {
  withLog("pretty", (log, lines, clock) => {
    clock.tick(500);
    log.log("info", "x", {});
    log.log("info", "x", {});
    clock.setSystemTime(1_700_000_010_500);
    clock.tick(9_999);
    assert.equal(lines.length, 1);
    clock.tick(1);
    log.log("info", "x", {});
    assert.deepEqual(lines.map((line) => line.slice(15)), ["x\n", "… x repeated once\n", "x\n"]);
  });
});

test("adapters: log: an operator who asks twice is answered twice", () => {
  withLog("pretty", (log, lines) => {
    for (const code of ["reload.unchanged", "run.stopping", "reloaded", "peer.run"]) {
      for (let i = 0; i < 3; i += 1) log.log("info", code, {});
    }
    const codes = lines.map((line) => line.trim().split(" ").at(-1));
    assert.deepEqual(codes, [
      ...["reload.unchanged", "reload.unchanged", "reload.unchanged"],
      ...["run.stopping", "run.stopping", "run.stopping"], "reloaded", "peer.run",
    ]);
  });
});

test("adapters: log: lines that could not be written are told within a second", () => {
  for (const format of ["json", "pretty"] as const) {
    const clock = FakeTimers.install({ now: 1_700_000_000_000 });
    let text = "";
    let isFull = true;
    const take = (bytes: Uint8Array): number => {
      if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      text += Buffer.from(bytes).toString();
      return bytes.length;
    };
    const log = createLog({
      ambient: createAmbient(), level: "error", format, isTerminal: false, sentences,
      open: (lostLine) => createLines(take, lostLine),
    });
    log.log("error", "a", {});
    log.log("error", "b", {});
    clock.tick(60_000);
    assert.equal(text, "");
    isFull = false;
    clock.tick(1_000);
    if (format === "json") {
      const { code, fields } = JSON.parse(text) as { code: string; fields: unknown };
      assert.deepEqual([code, fields], ["log.lost", { lines: 2 }]);
    } else {
      assert.equal(text, "22:14:21 WARN  lost 2 log lines: they could not be written\n");
    }
    isFull = true;
    log.log("error", "c", {});
    isFull = false;
    log.close();
    assert.match(text, /lost 1 log line:/);
    assert.equal(clock.countTimers(), 0);
    clock.uninstall();
  }
});

test("adapters: log: lines below the level are counted only, and the level may change", () => {
  withLog("json", (log, lines) => {
    log.log("debug", "x", {});
    log.setLevel("debug");
    log.log("debug", "y", {});
    assert.equal(lines.length, 1);
    assert.equal(log.counts.debug, 2);
  });
});

test("adapters: log: peer text cannot make a line or grow, row 10/T13-log-injection", () => {
  assert.equal(cleanText("a\nb\r\u001b[2Jc\u0000"), "a\\u{a}b\\u{d}\\u{1b}[2Jc\\u{0}");
  assert.equal(cleanText("\u202eevil\u2028\u0085\ud800"), "\\u{202e}evil\\u{2028}\\u{85}\\u{d800}");
  assert.equal(cleanText("back\\slash"), "back\\\\slash");
  assert.equal(cleanText("grüße 🐕"), "grüße 🐕");
  for (const long of ["x".repeat(1_000), "🐕".repeat(1_000), "\n".repeat(1_000)]) {
    const clean = cleanText(long);
    assert.ok(clean.endsWith("…"));
    assert.ok(Buffer.byteLength(clean) <= fieldBytesMax + 3);
  }
  withLog("pretty", (log, lines) => {
    log.log("info", "peer.registered", { nick: "J5\n22:13:20 ERROR forged" });
    assert.equal(lines.join("").split("\n").length, 2);
  });
});

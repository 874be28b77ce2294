import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAmbient } from "../../adapters/ambient.ts";
import { createChildren, type Program } from "../../adapters/children.ts";
import { defaults } from "../../adapters/child-output.ts";
import type { ChildEvent } from "../../core/ark/events.ts";

const ends: (() => void)[] = [];
after(() => {
  for (const end of ends) end();
});

const of = (script: string, isLeft = false): Program => (
  { run: [process.execPath, "-e", script], isLeft }
);

/** Programs of wallets, and all that is heard of them. */
function bench(programs: { readonly [wallet: string]: Program }, env = process.env) {
  const heard: ChildEvent[] = [];
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const one of waiting) one();
  };
  const children = createChildren(
    { programs: new Map(Object.entries(programs)), env, output: defaults }, createAmbient(), {
      push: (event) => {
        heard.push(event);
        look();
      },
      said: (wallet, line) => {
        said.push(`${wallet}: ${line}`);
        look();
      },
      left: () => {},
    });
  ends.push(() => {
    for (const event of heard) {
      if (event.type !== "child.spawned" || !isThere(event.pid)) continue;
      process.kill(event.pid, "SIGKILL");
    }
  });
  const until = (isSo: () => boolean): Promise<void> => new Promise((resolve) => {
    const one = (): void => {
      if (!isSo()) return;
      waiting.delete(one);
      resolve();
    };
    waiting.add(one);
    one();
  });
  const last = (type: ChildEvent["type"]): Promise<void> => (
    until(() => heard.at(-1)?.type === type)
  );
  const start = (wallet: string, run = 1): void => (
    children.start({ type: "child.start", wallet, run })
  );
  const signal = (wallet: string, which: "term" | "kill", run = 1): void => (
    children.signal({ type: "child.signal", wallet, run, signal: which })
  );
  const pid = (): number => heard.flatMap((one) => ("pid" in one ? [one.pid] : [])).at(-1)!;
  return { children, heard, said, until, last, start, signal, pid };
}

/** Not a zombie either, which nobody may have reaped yet. */
function isThere(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const stays = "console.log('here'); setInterval(() => {}, 1e6);";

test("adapters: children: a program runs, says something, and ends with its code", async () => {
  const b = bench({ alice: of("console.log('out'); console.error('err'); process.exitCode = 3;") });
  b.start("alice");
  assert.equal(b.heard.length, 0, "nothing is heard within the call");
  await b.last("child.exited");
  await b.until(() => b.said.length === 2);
  const [spawned, exited] = b.heard;
  assert.equal(spawned!.type, "child.spawned");
  assert.deepEqual(exited,
    { type: "child.exited", wallet: "alice", run: 1, code: 3, signal: "" });
  assert.deepEqual([...b.said].sort(), ["alice: err", "alice: out"]);
  assert.equal(b.children.running(), 0);
});

test("adapters: children: a signal goes to its run, the children of it included", async () => {
  const b = bench({ alice: { run: ["sh", "-c", `"${process.execPath}" -e "${stays}"; true`],
    isLeft: false } });
  b.start("alice");
  await b.until(() => b.said.length === 1);
  b.signal("alice", "term", 2);
  b.signal("bob", "kill");
  assert.equal(b.children.running(), 1);
  b.signal("alice", "term");
  await b.last("child.exited");
  assert.deepEqual(b.heard.at(-1),
    { type: "child.exited", wallet: "alice", run: 1, code: undefined, signal: "SIGTERM" });
});

test("adapters: children: what does not listen is killed", async () => {
  const b = bench({ alice: of(`process.on('SIGTERM', () => console.log('no')); ${stays}`) });
  b.start("alice");
  await b.until(() => b.said.includes("alice: here"));
  b.signal("alice", "term");
  await b.until(() => b.said.includes("alice: no"));
  b.signal("alice", "kill");
  await b.last("child.exited");
  assert.deepEqual(b.heard.at(-1),
    { type: "child.exited", wallet: "alice", run: 1, code: undefined, signal: "SIGKILL" });
});

test("adapters: children: what cannot be started is said, by its reason", async () => {
  for (const [run, why] of [
    [["/nowhere/barkd"], "missing"], [["/etc/passwd"], "denied"], [["x\0y"], "other"],
    [[], "other"],
  ] as const) {
    const b = bench({ alice: { run, isLeft: false } });
    b.start("alice");
    await b.last("child.failed");
    assert.deepEqual(b.heard, [{ type: "child.failed", wallet: "alice", run: 1, why }]);
    assert.equal(b.children.running(), 0);
  }
});

test("adapters: children: a program inherits no secret and no descriptor of ours", async () => {
  const env = { ...process.env, RPC_PASSWORD: "hunter2", NOTIFY_SOCKET: "/run/x", LANG: "C" };
  const b = bench({ alice: of("console.log(Object.keys(process.env).sort().join())") }, env);
  b.start("alice");
  await b.until(() => b.said.length === 1);
  assert.match(b.said[0]!, /LANG/);
  assert.doesNotMatch(b.said[0]!, /RPC_PASSWORD|NOTIFY_SOCKET/);
});

test("adapters: children: at the end all are asked to end, but what is to be left", async () => {
  const b = bench({ alice: of(stays), bob: of(stays, true) });
  b.start("alice");
  await b.until(() => b.said.length === 1);
  const alice = b.pid();
  b.start("bob");
  await b.until(() => b.pid() !== alice);
  const bob = b.pid();
  b.children.closeAll();
  for (let i = 0; isThere(alice); i += 1) {
    assert.ok(i < 1_000, "alice does not end");
    await sleep(10);
  }
  assert.ok(isThere(bob), "bob is left running");
  assert.deepEqual(b.said, ["alice: here"], "and would have nobody to talk to");
});

/**
 * A journal as commands write to it: by a process that holds the lock of its daemon.
 *
 * Rule 1: writing is the daemon's own machine on the daemon's own store. It does not wait for a
 * disk to get better: the first failure ends the command. What it says is written is on the disk.
 * @module
 */
import type { Ambient } from "../adapters/ambient.ts";
import { createStore, type Store } from "../adapters/store.ts";
import * as journal from "../core/history/journal.ts";

/** What is heard of the file: all of it once, and each record that was written. */
export type Hear = {
  /** `bytes` up to `end` are whole records. */
  readonly read: (bytes: Uint8Array, end: number) => void;
  readonly durable: (seq: number, body: string) => void;
};

/** Resolves when all of them are durable. Rejects at a failure. */
export type Write = (bodies: readonly string[]) => Promise<void>;

type Session = {
  readonly machine: journal.Journal;
  readonly store: Store;
  readonly bodies: Map<number, string>;
  readonly hear: Hear;
  tokens: number;
  fail: (error: Error) => void;
  done: () => void;
};

/** Records that are asked for at a time: no more than the journal lets wait. */
const roundMax = 1_000;

/** Opens the journal at `path`, has `act` write to it, and closes it. Rejects at a failure. */
export async function journaling<T>(
  path: string, ambient: Ambient, hear: Hear, act: (write: Write) => Promise<T>,
): Promise<T> {
  const machine = journal.create(journal.defaults);
  const store = createStore(path, (event) => step(event));
  const s: Session = {
    machine, store, bodies: new Map(), hear, tokens: 0, fail: () => {}, done: () => {},
  };
  const timer = ambient.timer(() => step({ type: "tick" }));

  function step(event: journal.Event): void {
    const out: journal.Effect[] = [];
    journal.step(machine, event, ambient.now(), out);
    for (const effect of out) perform(s, effect);
    timer.arm(journal.deadline(machine));
  }

  const waited = (start: () => void): Promise<void> => new Promise((resolve, reject) => {
    s.done = resolve;
    s.fail = reject;
    start();
  });

  async function write(bodies: readonly string[]): Promise<void> {
    for (let from = 0; from < bodies.length; from += roundMax) {
      await waited(() => {
        for (const body of bodies.slice(from, from + roundMax)) {
          s.tokens += 1;
          s.bodies.set(s.tokens, body);
          step({ type: "asked", token: s.tokens, body });
        }
      });
    }
  }

  try {
    await waited(() => step({ type: "opened" }));
    return await act(write);
  } finally {
    timer.disarm();
    await store.close();
  }
}

function perform(s: Session, effect: journal.Effect): void {
  switch (effect.type) {
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return s.store.order(effect);
    case "ready":
      s.hear.read(effect.bytes, effect.end);
      return s.done();
    case "durable": {
      s.hear.durable(effect.seq, s.bodies.get(effect.token) ?? "");
      s.bodies.delete(effect.token);
      if (s.bodies.size === 0) s.done();
      return;
    }
    case "refused": return s.fail(new Error(`a record was refused: ${effect.why}`));
    case "failing":
      return s.fail(new Error(effect.reason === "full" ? "no space left" : s.store.says()));
    case "broken": return s.fail(new Error(effect.fault.text));
    case "slow": case "recovered": return;
    default: {
      const never: never = effect;
      return never;
    }
  }
}

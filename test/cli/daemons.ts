/**
 * Daemons with a folder of their own within the test's process: their places, what they say, and
 * their end.
 * @module
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { type Address, addressText } from "../../adapters/address.ts";
import { createAmbient } from "../../adapters/ambient.ts";
import { createLog, type Sentences } from "../../adapters/log.ts";
import type { RunOptions, Started } from "../../cli/run-locked.ts";
import { folder } from "./capture.ts";

export const temp = folder();
export const ambient = createAmbient();
export const ends: (() => unknown)[] = [];

/** Ends all of them; for `after`. */
export async function endAll(): Promise<void> {
  for (const end of ends.reverse()) await end();
  temp.remove();
}

let places = 0;
export function place(): string {
  places += 1;
  const path = join(temp.path, `place${places}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

type Kind<Settings, Daemon> = {
  readonly start: (options: RunOptions<Settings>) => Promise<Started<Daemon>>;
  readonly sentences: Sentences;
};

export type Ran<Daemon> = {
  readonly started: Started<Daemon>; readonly log: string[];
  /** A line with this, or so many of them. */
  readonly until: (pattern: RegExp, times?: number) => Promise<void>;
};

/** Starts a daemon within this process. */
export async function launched<Settings, Daemon>(
  { start, sentences }: Kind<Settings, Daemon>, settings: Settings, data: string,
): Promise<Ran<Daemon>> {
  const log: string[] = [];
  const waiting = new Set<() => void>();
  const started = await start({
    settings, folder: data, ambient,
    log: createLog({
      ambient, level: "debug", format: "json", isTerminal: false, sentences, repeatMs: 1,
      write: (line) => {
        log.push(line);
        for (const look of waiting) look();
      },
    }),
    version: "1.2.3", env: {}, stderr: () => {},
  });
  const until = (pattern: RegExp, times = 1): Promise<void> => new Promise((resolve) => {
    const look = (): void => {
      if (log.filter((line) => pattern.test(line)).length < times) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });
  return { started, log, until };
}

type Ending = { readonly stop: (signal: string) => void; readonly ended: Promise<number> };

/** It ends with the others. */
export function ending<Daemon extends Ending>(daemon: Daemon): Daemon {
  ends.push(async () => {
    daemon.stop("test");
    await daemon.ended;
  });
  return daemon;
}

/** The daemon, which has started. */
export function running<Daemon extends Ending>({ started }: Ran<Daemon>): Daemon {
  assert.ok(started.ok, started.ok ? "" : started.says);
  return ending(started.daemon);
}

export function textAt(daemon: { readonly http: Address }, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${addressText(daemon.http)}${path}`, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

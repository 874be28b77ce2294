/**
 * The pool of directories as the maker sees it: what it wishes, in the maker's terms.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { log, type Maker, type Turn } from "./node.ts";
import * as pool from "./pool.ts";
import * as signing from "./signing.ts";
import { NEVER } from "../time.ts";

/** Something for the pool. */
export function tell(d: Maker, event: pool.Event, t: Turn): void {
  const wishes: pool.Effect[] = [];
  pool.step(d.pool, event, t.now, t.p, wishes);
  translate(d, wishes, t);
}

/** Says a private line by way of one directory; false if it is not taken. */
export function say(d: Maker, line: string, directory: string, t: Turn): boolean {
  const wishes: pool.Effect[] = [];
  const taken = pool.say(d.pool, line, directory, t.now, t.p, wishes);
  translate(d, wishes, t);
  return taken > 0;
}

/** These are the directories from now on. */
export function configure(d: Maker, directories: readonly pool.Directory[], t: Turn): void {
  number(d, directories);
  const names = new Set(directories.map(({ to }) => to));
  for (const to of d.since.keys()) if (!names.has(to)) d.since.delete(to);
  for (const to of names) if (!d.since.has(to)) d.since.set(to, t.now);
  tell(d, { type: "configured", directories }, t);
}

/**
 * A directory keeps its number as long as it is configured. One that is gone keeps it until all
 * others are used, so that nobody inherits what another has spent; the longest gone gives first.
 */
function number(d: Maker, directories: readonly pool.Directory[]): void {
  const names = new Set(directories.map(({ to }) => to));
  const gone = [...d.numbers].filter(([to]) => !names.has(to));
  const fresh = [...names].filter((to) => !d.numbers.has(to));
  const used = new Set(d.numbers.values());
  const free: number[] = [];
  for (let n = 0; n < d.config.guard.directoriesMax; n += 1) if (!used.has(n)) free.push(n);
  const numbers = new Map([...d.numbers].filter(([to]) => names.has(to)));
  for (const to of fresh) {
    const n = free.shift() ?? gone.shift()?.[1];
    assert(n !== undefined, "there are as many budgets as directories");
    numbers.set(to, n);
  }
  d.numbers = new Map([...gone, ...numbers]);
}

/** What budgets of a configured directory are kept by. */
export function numberOf(d: Maker, directory: string): number | undefined {
  return d.numbers.get(directory);
}

function translate(d: Maker, wishes: readonly pool.Effect[], t: Turn): void {
  for (const wish of wishes) translateOne(d, wish, t);
}

function translateOne(d: Maker, wish: pool.Effect, t: Turn): void {
  switch (wish.type) {
    case "conn.dial": case "conn.send": case "conn.close": return void t.out.push(wish);
    case "sign": return signing.want(d, { who: "pool", token: wish.token }, wish.digest, t);
    case "up": return up(d, wish, t);
    case "down": return down(d, wish, t);
    case "failed": {
      const { directory, why, failures, retryMs } = wish;
      return log(d, failures > 1 ? "debug" : "info", "maker.directory-failed",
        { directory, why, failures, retryMs }, t);
    }
    case "settled":
      return wish.isReached ? undefined : log(d, "error", "maker.no-directory",
        { directories: d.config.directories.length }, t);
    case "all-down":
      d.allDownAt = t.now;
      return void t.todo.push({ do: "notice", notice: { kind: "all-down", total: wish.total } });
    case "all-back": return allBack(d, wish.connected, wish.total, t);
    case "heard": {
      const { directory, kind, line } = wish;
      return void t.todo.push({ do: "hear", directory, kind, line });
    }
    case "announced":
      d.counts.announced += wish.lines;
      return log(d, "debug", "maker.announced", {
        directory: wish.directory, version: wish.version, lines: wish.lines,
      }, t);
    case "ended": return;
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function up(d: Maker, wish: Extract<pool.Effect, { type: "up" }>, t: Turn): void {
  const { directory, connected, total, isProven } = wish;
  d.since.set(directory, t.now);
  log(d, "info", "maker.directory-up", { directory, connected, total, isProven }, t);
  const notice = { kind: "directory-back", directory, connected, total } as const;
  t.todo.push({ do: "notice", notice });
}

function down(d: Maker, wish: Extract<pool.Effect, { type: "down" }>, t: Turn): void {
  const { directory, connected, total, why, retryMs } = wish;
  d.since.set(directory, t.now);
  log(d, "warn", "maker.directory-down", { directory, connected, total, why, retryMs }, t);
  const notice = { kind: "directory-lost", directory, connected, total } as const;
  t.todo.push({ do: "notice", notice });
}

function allBack(d: Maker, connected: number, total: number, t: Turn): void {
  const downMs = d.allDownAt === NEVER ? 0 : t.now - d.allDownAt;
  d.allDownAt = NEVER;
  const notice = { kind: "all-back", connected, total, downMs } as const;
  t.todo.push({ do: "notice", notice });
}

/**
 * Traps on everything that could make two runs of one seed differ: clocks, chance, timers, the
 * network, and what shows when garbage is collected.
 *
 * Rule 1: set around each run, taken away before anything is reported.
 * Rule 2: a trap throws and remembers: a machine that swallowed the throw is caught all the same.
 * @module
 */

/** Names of globals; called, constructed or read from, they throw. */
const wholes = [
  "Date", "performance", "crypto", "fetch", "WebSocket", "setTimeout", "setInterval",
  "setImmediate", "queueMicrotask", "WeakRef", "FinalizationRegistry", "Intl", "BroadcastChannel",
  "MessageChannel", "Worker",
];
/** Functions of objects that stay. */
const parts: readonly (readonly [owner: string, name: string])[] = [
  ["Math", "random"], ["process", "hrtime"], ["process", "uptime"], ["process", "nextTick"],
  ["process", "cpuUsage"], ["process", "memoryUsage"],
];

type Owner = Record<string, unknown>;
type Saved = {
  readonly owner: Owner; readonly name: string; readonly was: PropertyDescriptor | undefined;
};

/** What came of work among traps. */
export type Sprung<T> = {
  readonly result: { readonly value: T } | { readonly error: unknown };
  /** What it reached for first, also if it caught the error. */
  readonly touched: string | undefined;
};

/** Runs `work` with the traps set. */
export function trapped<T>(work: () => T): Sprung<T> {
  const touched: string[] = [];
  const saved = set(touched);
  let result: Sprung<T>["result"];
  try {
    result = { value: work() };
  } catch (error) {
    result = { error };
  }
  for (const { owner, name, was } of saved) restore(owner, name, was);
  return { result, touched: touched[0] };
}

function restore(owner: Owner, name: string, was: PropertyDescriptor | undefined): void {
  if (was === undefined) delete owner[name];
  else Object.defineProperty(owner, name, was);
}

function set(touched: string[]): Saved[] {
  const root = globalThis as unknown as Owner;
  const saved: (Saved & { readonly label: string })[] = [];
  const keep = (owner: Owner, name: string, label: string): void => {
    if (!(name in owner)) return;
    saved.push({ owner, name, label, was: Object.getOwnPropertyDescriptor(owner, name) });
  };
  for (const [owner, name] of parts) keep(root[owner] as Owner, name, `${owner}.${name}`);
  for (const name of wholes) keep(root, name, name);
  // Only now: some are loaded when they are looked at, and reach for others while they load.
  for (const { owner, name, label } of saved) {
    const value = trap(label, touched);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  }
  return saved;
}

/** A function that throws however it is used: called, constructed, or asked for a property. */
function trap(label: string, touched: string[]): unknown {
  const spring = (more: string): never => {
    const what = `${label}${more}`;
    touched.push(what);
    throw new Error(`a simulated step reached for ${what}`);
  };
  return new Proxy(function trapped() {}, {
    apply: () => spring("()"),
    construct: () => spring("()"),
    get: (_, name) => spring(`.${String(name)}`),
    has: () => spring(""),
  });
}

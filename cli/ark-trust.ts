/**
 * `dogwatch ark trust WALLET`: the operator has looked at another key of the wallet's Ark server,
 * or at another wallet at its address, and says that it is the right one from now on.
 *
 * Rule 1: both are named, what the journal is about and what is shown; and only what is named is
 * trusted.
 * Rule 2: it is a record of the journal. The daemon that runs writes it, by an order
 * (`ark-orders.ts`); while none runs this process does, under the daemon's lock.
 * @module
 */
import { join } from "node:path";
import { type Address, addressText } from "../adapters/address.ts";
import { type Ambient, createAmbient } from "../adapters/ambient.ts";
import { getJson } from "../adapters/http.ts";
import { takeLock } from "../adapters/lock.ts";
import { cleanText } from "../adapters/log.ts";
import * as intents from "../core/ark/intents.ts";
import { bodyOf, split } from "../core/ark/ledger.ts";
import type { Doubt, WalletStatus } from "../core/ark/status.ts";
import * as record from "../core/history/record.ts";
import { after } from "../core/time.ts";
import { dropOrder, leaveOrder } from "./ark-orders.ts";
import { exits } from "./exit.ts";
import { type Flags, tellProblems } from "./flags.ts";
import { arkFolder } from "./history-file.ts";
import type { Io } from "./io.ts";
import { journaling } from "./journal-file.ts";
import { chosen, loadAsking } from "./status.ts";
import { arkStatusIn } from "./status-check.ts";

type Doubts = { readonly [of in intents.Known]: Doubt | null };

type Asked = {
  readonly wallet: string; readonly folder: string; readonly flags: Flags; readonly io: Io;
  readonly ambient: Ambient;
  /** Where a daemon that runs is asked. */
  readonly at: Address;
};

/** Trusts what is shown of this wallet; the exit code. */
export async function trust(wallet: string, flags: Flags, io: Io): Promise<number> {
  const loaded = loadAsking(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const ambient = createAmbient();
  const folder = arkFolder(loaded.settings.dataDir);
  const asked: Asked = { wallet, folder, flags, io, ambient, at: chosen(loaded, "ark") };
  const taken = await takeLock({ folder, name: "ark", command: "dogwatch ark trust", ambient });
  if (!taken.ok) {
    if (taken.why === "held") return running(asked);
    return fail(asked, `${folder}: ${taken.text}; name the daemon's --data-dir or --config`);
  }
  try {
    return await stopped(asked);
  } catch (error) {
    return fail(asked, `${journalIn(folder)}: ${(error as Error).message}; nothing was written`);
  } finally {
    await taken.lock.release();
  }
}

function journalIn(folder: string): string {
  return join(folder, "ark.journal");
}

function fail({ io }: Asked, says: string, code: number = exits.failed): number {
  io.err(`dogwatch: ${cleanText(says)}\n`);
  return code;
}

function unknown(asked: Asked, names: readonly string[]): number {
  const others = names.length === 0 ? "there is none" : `there is ${names.join(", ")}`;
  return fail(asked, `no wallet ${asked.wallet}; ${others}`, exits.usage);
}

/** By the journal alone: the next run begins with it. */
async function stopped(asked: Asked): Promise<number> {
  const books = new Map<string, intents.Book>();
  const read = (bytes: Uint8Array, end: number): void => {
    record.each(bytes, end, (_, body) => {
      const found = split(body);
      if (found === undefined) return;
      const book = books.get(found.wallet) ?? intents.create(intents.defaults);
      books.set(found.wallet, book);
      intents.replay(book, found.body);
    });
  };
  const hear = { read, durable: () => {} };
  const { wallet, ambient, folder } = asked;
  return journaling(journalIn(folder), ambient, hear, async (write) => {
    const book = books.get(wallet);
    if (book === undefined) return unknown(asked, [...books.keys()]);
    const doubts = { wallet: doubtIn(book, "wallet"), server: doubtIn(book, "server") };
    const records: intents.Record[] = [];
    if (doubts.wallet !== null) {
      records.push({ type: "ark-wallet", fingerprint: doubts.wallet.shown });
    }
    if (doubts.server !== null) records.push({ type: "ark-server", key: doubts.server.shown });
    await write(records.map((one) => bodyOf(wallet, intents.encode(one))));
    return tell(asked, doubts, "It is in the journal; the daemon's next start goes by it.");
  });
}

function doubtIn(book: intents.Book, of: intents.Known): Doubt | null {
  const [known, shown] = [book[of], book.strange[of]];
  return known === undefined || shown === undefined ? null : { known, shown };
}

/** By the daemon, which has the last word on what is shown. */
async function running(asked: Asked): Promise<number> {
  const { wallet, folder } = asked;
  const before = await look(asked);
  if (typeof before === "string") return fail(asked, before, exits.unreachable);
  const one = before.wallets.find(({ name }) => name === wallet);
  if (one === undefined) return unknown(asked, before.wallets.map(({ name }) => name));
  const { doubts: { wallet: person, server }, isBarred } = one;
  const doubts = { wallet: person, server };
  if (person === null && server === null && !isBarred) return tell(asked, doubts, "");
  try {
    leaveOrder(folder, wallet, {
      wallet: person?.shown ?? one.fingerprint ?? undefined, server: server?.shown ?? undefined,
    });
    process.kill(before.pid, "SIGUSR2");
  } catch (error) {
    dropOrder(folder, wallet);
    return fail(asked, `the daemon cannot be told: ${(error as Error).message}; nothing changed`);
  }
  if (!await taken(asked)) {
    dropOrder(folder, wallet);
    return fail(asked, `the daemon has not taken it within ${takenMs / 1_000} s; see its log`);
  }
  return tell(asked, doubts, server === null && isBarred ? refusing : "The daemon has taken it.");
}

const refusing = "Its server is asked again. The wallet's program refuses the server by itself, " +
  "and names no key: if it goes on, look at its log; an exit is the way out.";

const takenMs = 10_000;
const answerMs = 5_000;

/** Is nothing in doubt any more? Whether the program goes on refusing is another question. */
async function taken(asked: Asked): Promise<boolean> {
  const until = after(asked.ambient.now(), takenMs);
  while (asked.ambient.now() < until) {
    const at = await look(asked);
    const one = typeof at === "string" ? undefined
      : at.wallets.find(({ name }) => name === asked.wallet);
    if (one !== undefined && isSettled(one)) return true;
    await pause(asked.ambient);
  }
  return false;
}

function isSettled({ doubts }: WalletStatus): boolean {
  return doubts.wallet === null && doubts.server === null;
}

function pause(ambient: Ambient): Promise<void> {
  return new Promise((resolve) => {
    ambient.timer(resolve).arm(after(ambient.now(), 100));
  });
}

type Running = { readonly pid: number; readonly wallets: readonly WalletStatus[] };

/** The daemon that answers, and its process number; or why there is none. */
async function look({ folder, ambient, at }: Asked): Promise<Running | string> {
  const live = await getJson(at, "/livez", answerMs, ambient);
  const { pid } = (live.ok ? live.body ?? {} : {}) as { pid?: unknown };
  const asked = await getJson(at, "/status", answerMs, ambient);
  const status = asked.ok ? arkStatusIn(asked.code, asked.body) : undefined;
  if (typeof pid !== "number" || status === undefined) {
    return `a daemon uses ${folder}, but none of this version answers at ${addressText(at)}`;
  }
  return { pid, wallets: status.wallets };
}

const names = { wallet: "the wallet's fingerprint", server: "the Ark server's key" } as const;

function tell({ wallet, flags, io }: Asked, doubts: Doubts, how: string): number {
  if (flags.json === true) {
    io.out(`${JSON.stringify({ schema: 1, wallet, trusted: doubts })}\n`);
    return exits.ok;
  }
  const lines = (["wallet", "server"] as const).flatMap((of) => {
    const doubt = doubts[of];
    return doubt === null ? []
      : [`${wallet}: ${names[of]} was ${doubt.known} and is ${doubt.shown}: trusted from now on.`];
  });
  if (lines.length === 0 && how !== refusing) {
    io.out(`${wallet}: nothing waits for your trust.\n`);
    return exits.ok;
  }
  io.out([...lines, how].map((line) => `${cleanText(line)}\n`).join(""));
  return exits.ok;
}

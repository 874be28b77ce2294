/**
 * A journal of Ark wallets without what nobody needs any more.
 *
 * Rule 1: whoever reads what is left knows the same: open intents, the newest settled ones, the
 * height and the wallet of each wallet; open letters and how often runs have found them so, what
 * was told last, and what is told once. Only counts of long ago are fewer.
 * Rule 2: records are kept as they stand, in their order, or dropped. What changed nothing when it
 * was read is dropped, as it might later; what no reader knows is kept, as somebody may.
 * Rule 3: a file that is damaged, or ends in a write that was cut short, is the journal's to judge.
 * Not known here: when it is worth it, and how a file takes another's place.
 * @module
 */
import { unreachable } from "../assert.ts";
import { concat } from "../bytes.ts";
import * as record from "../history/record.ts";
import type { Config as NotifyConfig } from "../notify/config.ts";
import * as delivery from "../notify/delivery.ts";
import * as letters from "../notify/letter.ts";
import * as past from "../notify/past.ts";
import * as intents from "./intents.ts";
import * as ledger from "./ledger.ts";

export type Config = {
  /** As the journal's. */
  readonly tornBytesMax: number;
  readonly intents: intents.Config;
  readonly notify: NotifyConfig;
};

/** A smaller file is left as it is, in bytes. 1 MiB. */
export const worthBytes = 1_048_576;

/** One wallet, as far as the file tells; which records each intent stands in. */
type Wallet = {
  readonly book: intents.Book;
  readonly of: Map<number, number[]>;
  /** The last of each: its height, who it is, its server, and which others were seen. */
  readonly last: Map<string, number>;
};

type Letters = {
  readonly past: past.Past;
  /** Records by letter, and the runs since the first letter that is open. */
  readonly of: Map<number, number[]>;
  readonly told: number[];
  readonly once: number[];
  readonly runs: number[];
};

/** The same with fewer records; `undefined`: there is nothing to drop, or nothing to judge. */
export function compact(bytes: Uint8Array, config: Config): Uint8Array | undefined {
  const found = record.scan(bytes, config.tornBytesMax);
  if (!found.ok || found.value.tornBytes > 0 || found.value.count === 0) return undefined;
  const { end, count } = found.value;
  const keep = new Set<number>();
  const wallets = new Map<string, Wallet>();
  const mail = lettersOf(config);
  record.each(bytes, end, (seq, body) => {
    if (letters.owns(body)) return letter(mail, seq, body, keep);
    const own = ledger.split(body);
    if (own === undefined || !intents.owns(own.body)) return void keep.add(seq);
    intent(walletOf(wallets, own.wallet, config), seq, own.body, keep);
  });
  for (const wallet of wallets.values()) keepWallet(wallet, keep);
  keepLetters(mail, config, keep);
  const last = [...wallets].flatMap(([name, { book }]) => lastOf(name, book));
  if (keep.size + last.length >= count) return undefined;
  return written(bytes, end, keep, last);
}

function walletOf(all: Map<string, Wallet>, name: string, { intents: c }: Config): Wallet {
  const known = all.get(name);
  if (known !== undefined) return known;
  const book = intents.create(c);
  const made: Wallet = { book, of: new Map(), last: new Map() };
  all.set(name, made);
  return made;
}

function intent(w: Wallet, seq: number, body: string, keep: Set<number>): void {
  const decoded = intents.decode(body);
  if (!decoded.ok) return void keep.add(seq);
  const { value: one } = decoded;
  const isNews = intents.take(w.book, one);
  switch (one.type) {
    case "ark-intent":
      if (isNews) w.of.set(one.intent.id, [seq]);
      return;
    case "ark-intent-sent": case "ark-intent-settled":
      if (isNews) w.of.get(one.id)?.push(seq);
      return;
    case "ark-tip": case "ark-wallet": case "ark-server":
      return void w.last.set(one.type, seq);
    case "ark-strange": return void w.last.set(`${one.type} ${one.of}`, seq);
    // Said anew where it is needed.
    case "ark-intents": return;
    default: return unreachable(one); /* c8 ignore next */
  }
}

function keepWallet({ book, of, last }: Wallet, keep: Set<number>): void {
  for (const seq of last.values()) keep.add(seq);
  for (const id of [...book.open.keys(), ...book.settled.map((one) => one.id)]) {
    for (const seq of of.get(id) ?? []) keep.add(seq);
  }
}

/** Ids are never given twice: the last one is said, also where its intent is gone. */
function lastOf(name: string, { lastId, open, settled }: intents.Book): readonly string[] {
  if (lastId === 0 || open.has(lastId) || settled.some(({ id }) => id === lastId)) return [];
  return [ledger.bodyOf(name, intents.encode({ type: "ark-intents", last: lastId }))];
}

function lettersOf({ notify }: Config): Letters {
  return {
    past: delivery.pastOf(notify), of: new Map(), told: [], once: [], runs: [],
  };
}

function letter(m: Letters, seq: number, body: string, keep: Set<number>): void {
  const decoded = letters.decode(body);
  if (!decoded.ok) return void keep.add(seq);
  const { value: one } = decoded;
  past.read(m.past, body);
  switch (one.type) {
    case "notice":
      m.of.set(one.id, [seq]);
      m.told.push(one.id);
      if (one.nature === "once") m.once.push(one.id);
      return;
    case "notice-sent": case "notice-lost": return void m.of.get(one.id)?.push(seq);
    case "notice-run": return void m.runs.push(seq);
    default: return unreachable(one); /* c8 ignore next */
  }
}

function keepLetters(m: Letters, { notify: { gate } }: Config, keep: Set<number>): void {
  let openFrom: number | undefined;
  for (const id of m.past.open.keys()) openFrom ??= m.of.get(id)?.[0];
  const told = [...m.told.slice(-m.past.toldMax), ...m.once.slice(-gate.onceMax)];
  for (const id of [...m.past.open.keys(), ...told]) {
    for (const seq of m.of.get(id) ?? []) keep.add(seq);
  }
  if (openFrom === undefined) return;
  for (const seq of m.runs) if (seq > openFrom) keep.add(seq);
}

/** All of it is durable together or not there at all. */
function written(
  bytes: Uint8Array, end: number, keep: ReadonlySet<number>, more: readonly string[],
): Uint8Array {
  const lines: Uint8Array[] = [record.header];
  let size = record.header.length;
  const put = (body: string): void => {
    const line = record.encode(lines.length, lines.length - 1, body);
    lines.push(line);
    size += line.length;
  };
  record.each(bytes, end, (seq, body) => {
    if (keep.has(seq)) put(body);
  });
  for (const body of more) put(body);
  return concat(lines, size);
}

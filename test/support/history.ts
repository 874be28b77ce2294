/**
 * Entries, changes and records of the history, as fast-check draws them.
 * @module
 */
import fc from "fast-check";
import { amountSatMax, type Body } from "../../core/history/body.ts";
import { roles, type Change, type Entry } from "../../core/history/entry.ts";

/** Objects as literals make them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const hex = (size: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(..."0123456789abcdef".split("")), { minLength: size, maxLength: size })
    .map((digits) => digits.join(""));

/** A few of them come again and again. */
export const txids: fc.Arbitrary<string> =
  fc.oneof(fc.constantFrom("a", "b", "c").map((c) => c.repeat(64)), hex(64));

export const addresses: fc.Arbitrary<string> =
  fc.oneof(fc.constantFrom("bcrt1qours", "bcrt1qchange", "bcrt1qsource"), hex(38));

export const amounts: fc.Arbitrary<bigint> =
  fc.oneof(fc.constantFrom(0n, 1n, 5_000_000n), fc.bigInt(-amountSatMax, amountSatMax));

/** Microseconds from 1990 to 2100, as far as dates matter. */
export const instants: fc.Arbitrary<number> =
  fc.integer({ min: 631_152_000_000_000, max: 4_102_444_800_000_000 });

/** Text of any kind: quotes, line ends, other scripts, half a surrogate pair. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom("", "Awaiting transaction", 'a "quoted", text', "two\r\nlines", "\\", "\ud800"),
);

const counts = fc.integer({ min: 0, max: 999_999_999 });

/** `list`: the items of its lists. */
export function entries(
  text: fc.Arbitrary<string> = texts, list: fc.Arbitrary<string> = text,
): fc.Arbitrary<Entry> {
  return record({
    addedUs: instants, completedUs: fc.option(instants, { nil: undefined }),
    role: fc.constantFrom(...roles), isSuccess: fc.boolean(), reason: text, confirmations: counts,
    confirmedUs: fc.option(instants, { nil: undefined }),
    txid: fc.oneof(fc.constant(""), txids), cjSat: amounts,
    peers: fc.option(counts, { nil: undefined }), nicks: text, feeReceivedSat: amounts,
    txfeeContributionSat: amounts, makerFeesPaidSat: amounts, miningFeePaidSat: amounts,
    netFeeSat: amounts, mixdepth: counts, destination: fc.oneof(addresses, text),
    change: fc.oneof(addresses, text), utxos: fc.array(list, { maxLength: 3 }), broadcast: text,
    network: text, fingerprint: text, sourceAddresses: fc.array(list, { maxLength: 3 }),
    source: text, inputSat: amounts, vout: fc.integer({ min: -1, max: 1_000 }), amountSat: amounts,
  });
}

/** Changes of the rows that these records brought. */
export function changes(of: fc.Arbitrary<number>): fc.Arbitrary<Change> {
  const at = { of, atUs: instants };
  return fc.oneof(
    record({ type: fc.constant("txid" as const), of, txid: txids }),
    record({
      type: fc.constant("signed" as const), of, txid: txids, feeReceivedSat: amounts,
      txfeeContributionSat: amounts, vout: fc.integer({ min: -1, max: 100 }),
    }),
    record({ type: fc.constant("seen" as const), ...at }),
    record({
      type: fc.constant("confirmed" as const), ...at, confirmations: counts,
      peers: fc.option(counts, { nil: undefined }),
    }),
    record({ type: fc.constant("lost" as const), ...at }),
    record({ type: fc.constant("settled" as const), of, confirmations: counts }),
    record({ type: fc.constant("warned" as const), ...at }),
    record({ type: fc.constant("given-up" as const), ...at, why: texts }),
    record({ type: fc.constant("returned" as const), ...at }),
    record({ type: fc.constant("aged" as const), of, ageMs: counts }),
  );
}

const fields = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom("", "__proto__", "7"), fc.string({ maxLength: 12 })),
    fc.oneof(texts, fc.boolean(), fc.integer()),
  ),
  { maxLength: 5 },
);

/** What any record of this version says; about rows and records `of`. */
export function bodies(of: fc.Arbitrary<number>): fc.Arbitrary<Exclude<Body, { type: "unknown" }>> {
  return fc.oneof(
    record({ type: fc.constantFrom("added" as const, "imported" as const), entry: entries() }),
    changes(of),
    record({ type: fc.constant("told" as const), of }),
    record({ type: fc.constant("value" as const), key: texts, value: texts }),
    record({
      type: fc.constant("other" as const), kind: fc.constantFrom("notice", "notice-sent", "x"),
      about: fc.option(of, { nil: undefined }), fields,
    }),
  );
}

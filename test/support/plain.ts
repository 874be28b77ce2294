/**
 * Generators of plain values and events, for tests of whatever writes them down.
 * @module
 */
import fc from "fast-check";
import { bytesOf } from "./toy.ts";

const leaf = fc.oneof(
  fc.string({ unit: "binary" }), fc.maxSafeInteger(), fc.boolean(), fc.bigInt(),
  fc.uint8Array({ maxLength: 12 }), fc.string().map(bytesOf), fc.constant(null),
  fc.constant(undefined), fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const name = fc.oneof(
  fc.constantFrom("a", "x", "n", "u", "o", "secret", "__proto__", "7", "constructor"), fc.string(),
);
export const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie("value")), { maxLength: 3 }).map(unmarked),
  ),
})).value;
export const event = fc
  .tuple(fc.string(), fc.array(fc.tuple(name, plain), { maxLength: 4 }))
  .map(([type, fields]) => ({ ...unmarked(fields), type }) as { type: string });

/** Bytes named `secret` would be taken for a marked secret, of which a trace keeps a seal only. */
function unmarked(fields: [string, unknown][]): object {
  return Object.fromEntries(
    fields.filter(([field, value]) => field !== "secret" || !(value instanceof Uint8Array)),
  );
}

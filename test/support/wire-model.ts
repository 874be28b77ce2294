/**
 * A second opinion about the wire: the same formats said with `JSON.parse` and zod schemas, from
 * the protocol and not from the code. It shares nothing with core/joinmarket.
 *
 * Where it deliberately differs, because `JSON.parse` cannot see it: repeated keys, `5.0` or `5e0`
 * for `5`, and line feeds between values (`differs`). The decoders refuse all three.
 * @module
 */
import { createHash } from "node:crypto";
import * as z from "zod";

/** Is there something in this JSON text that `JSON.parse` hides and the decoders refuse? */
export function differs(text: string): boolean {
  return /\n/.test(text) || /[0-9]\.0|[0-9][eE]|-0/.test(text) || hasRepeatedKey(text);
}

function hasRepeatedKey(text: string): boolean {
  const keys = [...text.matchAll(/"((?:[^"\\]|\\.)*)"\s*:/g)].map((m) => {
    try {
      return JSON.parse(`"${m[1]}"`) as string;
    } catch {
      return m[1]!;
    }
  });
  return new Set(keys).size !== keys.length;
}

const isWell = (s: string): boolean => !/[\uD800-\uDFFF]/u.test(s);

function everyText(j: unknown, holds: (s: string) => boolean): boolean {
  if (typeof j === "string") return holds(j);
  if (typeof j !== "object" || j === null) return true;
  return Object.entries(j).every(([k, v]) => holds(k) && everyText(v, holds));
}

function depth(j: unknown): number {
  if (typeof j !== "object" || j === null) return 0;
  return 1 + Math.max(0, ...Object.values(j).map(depth));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const envelopeSchema = z.looseObject({
  type: z.int().min(0).max(4_294_967_295),
  line: z.string(),
}).refine((o) => everyText(o, isWell)).refine((o) => Object.values(o).every((v) => depth(v) <= 10));

export type ModelEnvelope = { type: number; line: string; exact: boolean };

export function envelope(frame: Uint8Array): ModelEnvelope | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(frame);
  } catch {
    return undefined;
  }
  const parsed = json(text);
  if (Array.isArray(parsed)) return undefined;
  const read = envelopeSchema.safeParse(parsed);
  if (!read.success) return undefined;
  const keys = Object.keys(parsed as object);
  return { type: read.data.type, line: read.data.line, exact: keys.length === 2 };
}

export const nick = z.string().regex(/^J\d[1-9A-HJ-NP-Za-km-z]{0,14}O{0,14}$/).length(16);

const serving = /^[a-z2-7]{56}\.onion:(\d{1,5})$/;

function portHolds(s: string): boolean {
  const port = s.slice(s.lastIndexOf(":") + 1);
  return String(Number(port)) === port && Number(port) >= 1 && Number(port) <= 65_535;
}

function checksumHolds(s: string): boolean {
  let bits = "";
  for (const c of s.slice(0, 56)) {
    bits += "abcdefghijklmnopqrstuvwxyz234567".indexOf(c).toString(2).padStart(5, "0");
  }
  const bytes = Buffer.from(bits.match(/.{8}/g)!.map((b) => Number.parseInt(b, 2)));
  const sum = createHash("sha3-256")
    .update(".onion checksum").update(bytes.subarray(0, 32)).update(Buffer.from([3])).digest();
  return bytes[34] === 3 && bytes[32] === sum[0] && bytes[33] === sum[1];
}

/** A location string and what it becomes: "" for not serving. */
export const location = z.union([
  z.enum(["", "NOT-SERVING-ONION"]).transform(() => ""),
  z.string().transform((s) => s.replace(/[A-Z]/g, (c) => c.toLowerCase()))
    .refine((s) => serving.test(s)).refine(portHolds)
    .refine((s) => !serving.test(s) || checksumHolds(s)),
]);

const featureValue = z.union([
  z.null(), z.boolean(), z.number(), z.string().refine((s) => Buffer.byteLength(s) <= 512),
]);
const features = z.record(z.string().regex(/^[a-z0-9_]{1,64}$/), featureValue)
  .refine((o) => Object.keys(o).length <= 32)
  .transform((o) => Object.keys(o).filter((k) => o[k] === true).toSorted());

const hello = z.looseObject({
  "app-name": z.string().regex(/^joinmarket$/i),
  "directory": z.literal(false).optional(),
  "location-string": location,
  "proto-ver": z.literal(5),
  "features": features.optional(),
  nick,
  "network": z.string().regex(/^mainnet$/i),
});

export type ModelHello = { nick: string; location: string; features: string[]; network: string };

/** A 793 that a mainnet directory takes. */
export function peerHello(line: string): ModelHello | undefined {
  const parsed = json(line);
  if (Array.isArray(parsed) || depth(parsed) > 10 || !everyText(parsed, isWell)) return undefined;
  const read = hello.safeParse(parsed);
  if (!read.success) return undefined;
  const d = read.data;
  const named = { nick: d.nick, location: d["location-string"], network: d.network };
  return { ...named, features: d.features ?? [] };
}

const offerFields = z.tuple([
  z.enum([
    "absoffer", "reloffer", "swabsoffer", "swreloffer",
    "sw0absoffer", "sw0reloffer", "tr0absoffer", "tr0reloffer",
  ]),
  z.string().regex(/^\d{1,9}$/).refine((s) => String(Number(s)) === s),
  sat(), sat(), sat(), z.string(),
]).refine((o) => /^\d+ \d+$/.test(`${o[2]} ${o[3]}`)).refine((o) => {
  return !/^\d+ \d+$/.test(`${o[2]} ${o[3]}`) || BigInt(o[2]) <= BigInt(o[3]);
}).refine((o) => {
  if (o[0].includes("abs")) return sat().safeParse(o[5]).success;
  const parts = /^\d+(\.\d+)?(e-\d{1,2})?$/i.exec(o[5]);
  if (parts === null || o[5].length > 32) return false;
  return (parts[1] ?? ".").length - 1 + Number((parts[2] ?? "e-0").slice(2)) <= 40;
});

function sat(): z.ZodType<string> {
  return z.string().regex(/^(0|[1-9]\d{0,15})$/)
    .refine((s) => /^\d+$/.test(s) && BigInt(s) <= 2_100_000_000_000_000n);
}

/** The words of an offer command, if it is one. */
export function offer(command: string): string[] | undefined {
  const read = offerFields.safeParse(command.split(" "));
  return read.success ? read.data : undefined;
}

export type ModelEntry = {
  nick: string; location: string; disconnected: boolean; features: string[];
};

/** One peerlist entry; the checksum of its address is not part of the grammar. */
export function entry(text: string): ModelEntry | undefined {
  const m = /^([^;,]*);([^;,]*?)(;D)?(;F:([a-z0-9_+]+))?$/.exec(text);
  if (m === null || !nick.safeParse(m[1]).success) return undefined;
  const place = m[2]!;
  if (place !== "NOT-SERVING-ONION" && !(serving.test(place) && portHolds(place))) return undefined;
  const names = m[5] === undefined ? [] : m[5].split("+");
  if (names.length > 32 || !names.every((n) => /^[a-z0-9_]{1,64}$/.test(n))) return undefined;
  const sorted = [...new Set(names)].toSorted();
  return { nick: m[1]!, location: place, disconnected: m[3] !== undefined, features: sorted };
}

export const challenge = z.strictObject({
  "challenge": z.string().regex(/^[0-9a-f]{64}$/),
  "directory-id": z.string().regex(/^[a-z0-9][a-z0-9.:_-]{0,127}$/),
});

export const result = z.union([
  z.strictObject({ code: z.literal("ok"), verified: z.literal(true) }),
  z.strictObject({
    code: z.enum(["malformed", "expired", "invalid", "policy"]), verified: z.literal(false),
  }),
]);

/** Does this text hold an object that the schema takes? */
export function takes(schema: z.ZodType, line: string): boolean {
  return schema.safeParse(json(line)).success;
}

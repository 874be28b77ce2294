/**
 * The primitives of the tests: hashes and verification from node:crypto; keys and signatures in
 * plain bigint arithmetic, so that the same input gives the same signature. Slow and not
 * constant-time: for tests only.
 * @module
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import type { Primitives } from "../../core/primitives.ts";

const P = 2n ** 256n - 2n ** 32n - 977n;
/** The order of secp256k1. */
export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** A point of the curve; `undefined` is the one at infinity. */
type Point = { readonly x: bigint; readonly y: bigint } | undefined;
const G: Point = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
};

export const primitives: Primitives = {
  sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()),
  sha3: (bytes) => new Uint8Array(createHash("sha3-256").update(bytes).digest()),
  verifyEcdsa,
};

/** The DER of a public key up to its 33 bytes: an elliptic curve key, on secp256k1. */
const KEY_HEAD = Buffer.from("3036301006072a8648ce3d020106052b8104000a032200", "hex");

function verifyEcdsa(pubkey: Uint8Array, inner: Uint8Array, signature: Uint8Array): boolean {
  if (pubkey.length !== 33 || inner.length !== 32) return false;
  try {
    const key = createPublicKey({
      key: Buffer.concat([KEY_HEAD, pubkey]), format: "der", type: "spki",
    });
    return verify("sha256", inner, key, signature);
  } catch {
    return false;
  }
}

function mod(a: bigint, m: bigint): bigint {
  const rest = a % m;
  return rest < 0n ? rest + m : rest;
}

/** The inverse modulo a prime, by Euclid. */
function inverse(a: bigint, m: bigint): bigint {
  let [r, next] = [m, mod(a, m)];
  let [t, after] = [0n, 1n];
  while (next > 0n) {
    const q = r / next;
    [r, next] = [next, r - q * next];
    [t, after] = [after, t - q * after];
  }
  return mod(t, m);
}

function add(a: Point, b: Point): Point {
  if (a === undefined) return b;
  if (b === undefined) return a;
  if (a.x === b.x && mod(a.y + b.y, P) === 0n) return undefined;
  const slope = a.x === b.x
    ? 3n * a.x * a.x * inverse(2n * a.y, P)
    : (b.y - a.y) * inverse(b.x - a.x, P);
  const x = mod(slope * slope - a.x - b.x, P);
  return { x, y: mod(slope * (a.x - x) - a.y, P) };
}

function multiply(point: Point, factor: bigint): Point {
  let out: Point;
  let doubled = point;
  for (let f = factor; f > 0n; f >>= 1n) {
    if ((f & 1n) === 1n) out = add(out, doubled);
    doubled = add(doubled, doubled);
  }
  return out;
}

function toBig(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** The compressed public key of a private key, in hex. */
export function pubkeyOf(key: bigint): string {
  const point = multiply(G, key)!;
  return `0${2n + (point.y & 1n)}${point.x.toString(16).padStart(64, "0")}`;
}

/** A signature in DER over the hash of `inner`, with low s unless `high`. The nonce is a hash. */
export function signEcdsa(key: bigint, inner: Uint8Array, high = false): Uint8Array {
  const seed = Buffer.concat([Buffer.from(key.toString(16)), inner]);
  const k = mod(toBig(primitives.sha256(seed)), ORDER);
  const r = mod(multiply(G, k)!.x, ORDER);
  const hash = toBig(primitives.sha256(inner));
  const s = mod(inverse(k, ORDER) * (hash + r * key), ORDER);
  const isHigh = s > ORDER / 2n;
  return der(r, isHigh === high ? s : ORDER - s);
}

/** Strict DER of a pair. */
export function der(r: bigint, s: bigint): Uint8Array {
  const parts = [r, s].map((value) => {
    const digits = value.toString(16);
    const even = digits.length % 2 === 1 ? `0${digits}` : digits;
    const isHigh = Number.parseInt(even.slice(0, 2), 16) >= 0x80;
    const body = Buffer.from(isHigh ? `00${even}` : even, "hex");
    return Buffer.concat([Buffer.from([2, body.length]), body]);
  });
  const inside = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([Buffer.from([0x30, inside.length]), inside]));
}

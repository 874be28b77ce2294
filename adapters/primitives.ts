/**
 * The cryptographic functions of the core, from Node's own OpenSSL. No key and no state is kept.
 * @module
 */
import { createPublicKey, hash, verify, type KeyObject } from "node:crypto";
import type { Primitives } from "../core/primitives.ts";

export const primitives: Primitives = {
  sha256: (bytes) => plain(hash("sha256", bytes, "buffer")),
  sha3: (bytes) => plain(hash("sha3-256", bytes, "buffer")),
  verifyEcdsa,
};

/** SubjectPublicKeyInfo (RFC 5480) of a compressed secp256k1 point, without the point. */
const spkiPrefix = Uint8Array.of(
  0x30, 0x36, 0x30, 0x10,
  0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // id-ecPublicKey
  0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, // secp256k1
  0x03, 0x22, 0x00,
);

const compressedBytes = 33;

function verifyEcdsa(pubkey: Uint8Array, inner: Uint8Array, signature: Uint8Array): boolean {
  if (inner.length !== 32) return false;
  const key = keyOf(pubkey);
  if (key === undefined) return false;
  try {
    return verify("sha256", inner, key, signature);
  } catch {
    return false;
  }
}

/** `undefined` for bytes that are no compressed point of the curve. */
function keyOf(pubkey: Uint8Array): KeyObject | undefined {
  if (pubkey.length !== compressedBytes) return undefined;
  if (pubkey[0] !== 2 && pubkey[0] !== 3) return undefined;
  const der = Buffer.concat([spkiPrefix, pubkey]);
  try {
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** The same bytes without the Buffer on top: core values compare by what they hold. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

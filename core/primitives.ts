/**
 * Pure cryptographic functions that a host supplies. The core holds no algorithm and no key.
 * Each is deterministic, takes bytes and never throws on hostile bytes.
 * @module
 */
export interface Primitives {
  /** SHA-256 (FIPS 180-4), 32 bytes. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  /** SHA3-256 (FIPS 202), 32 bytes; the checksum of v3 onion addresses. */
  readonly sha3: (bytes: Uint8Array) => Uint8Array;
  /**
   * ECDSA over secp256k1: does `signature` (strict DER, checked by the caller) sign the 32-byte `digest` under the
   * 33-byte compressed `pubkey`? False for a point that is not on the curve. `digest` is final: it is not hashed again.
   */
  readonly verifyEcdsa: (pubkey: Uint8Array, digest: Uint8Array, signature: Uint8Array) => boolean;
}

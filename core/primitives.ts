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
   * ECDSA over secp256k1 with double SHA-256, as Bitcoin signs messages. BEWARE: `inner` is SHA-256
   * of the message, taken ONCE (32 bytes); the algorithm hashes `inner` once more and verifies over
   * that. The interface has this shape because node:crypto offers no verification over a ready
   * digest. `signature` is DER; strict DER, the ranges of r and s and low-s are the caller's to
   * check before. `pubkey` is a 33-byte compressed point; false for one that is not on the curve,
   * for wrong lengths, and for any other hostile bytes.
   */
  readonly verifyEcdsa: (pubkey: Uint8Array, inner: Uint8Array, signature: Uint8Array) => boolean;
}

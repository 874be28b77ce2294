/**
 * The key behind a nick: made when a daemon starts, kept nowhere, and gone with the process.
 *
 * Rule 1: the key leaves this module by no way; who needs a signature asks for it.
 * Rule 2: signatures are deterministic (RFC 6979) with low s, so that a run can be compared.
 * @module
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";

export type Identity = {
  /** The compressed point, 33 bytes. */
  readonly pubkey: Uint8Array;
  /** Signs 32 bytes; DER. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
};

/** The identity of 32 secret bytes; a fresh one from `entropy`. */
export function createIdentity(entropy: (size: number) => Uint8Array): Identity {
  let key = entropy(32);
  // One in 2^128 draws is no key.
  while (!secp256k1.utils.isValidSecretKey(key)) key = entropy(32);
  return {
    pubkey: secp256k1.getPublicKey(key, true),
    sign: (digest) => secp256k1.sign(digest, key, { prehash: false, lowS: true, format: "der" }),
  };
}

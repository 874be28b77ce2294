/**
 * Where a peer can be reached: a version 3 onion address with a port, or nowhere.
 *
 * Rule 1: an address must carry its checksum (Tor rend-spec-v3 §6), so that a mistyped or invented
 * one does not reach anyone's peerlist. That its owner is the peer cannot be known here.
 * Rule 2: one spelling: lower case, a port in plain digits. Upper case is lowered, everything else
 * is refused.
 * @module
 */
import { ascii, concat } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";

/** What a peer without an onion service sends and what a peerlist shows for it. */
export const notServing = "NOT-SERVING-ONION";

export type Location =
  | { readonly serving: false }
  | {
    readonly serving: true;
    /** 56 characters and `.onion`. */
    readonly host: string;
    /** 1 to 65,535. */
    readonly port: number;
    /** `host:port`, the form for peerlists. */
    readonly text: string;
  };

const NOT_SERVING: Location = { serving: false };
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const HOST_LENGTH = 62;
const VERSION = 3;
const LABEL = ascii(".onion checksum");

/**
 * Reads a `location-string`. Empty and `NOT-SERVING-ONION` are "not serving". Faults: `location`.
 */
export function parse(location: string, sha3: Primitives["sha3"]): Decoded<Location> {
  if (location === "" || location === notServing) return good(NOT_SERVING);
  if (location.length > HOST_LENGTH + 6) return bad("location", "the location is too long");
  const parts = /^([A-Za-z2-7]{56}\.[Oo][Nn][Ii][Oo][Nn]):([1-9][0-9]{0,4})$/.exec(location);
  if (parts === null) return bad("location", "the location is not onion:port, version 3");
  const host = parts[1]!.toLowerCase();
  const port = Number(parts[2]);
  if (port > 65_535) return bad("location", "the port is beyond 65535");
  if (!hasChecksum(host, sha3)) return bad("location", "the onion's checksum or version is wrong");
  return good({ serving: true, host, port, text: `${host}:${port}` });
}

/**
 * Is this a serving location in its one spelling? The checksum is not looked at: that takes
 * `parse`.
 */
export function isLocation(s: string): boolean {
  const parts = /^[a-z2-7]{56}\.onion:([1-9][0-9]{0,4})$/.exec(s);
  return parts !== null && Number(parts[1]) <= 65_535;
}

/** The 35 bytes of an address are a key (32), a checksum (2) and a version (1). */
function hasChecksum(host: string, sha3: Primitives["sha3"]): boolean {
  const bytes = base32(host.slice(0, 56));
  if (bytes[34] !== VERSION) return false;
  const hash = sha3(concat([LABEL, bytes.subarray(0, 32), Uint8Array.of(VERSION)]));
  return hash[0] === bytes[32] && hash[1] === bytes[33];
}

/** 56 lower-case base32 characters are 35 whole bytes: there is no padding to check. */
function base32(characters: string): Uint8Array {
  const out = new Uint8Array(35);
  let bits = 0;
  let pending = 0;
  let at = 0;
  for (let i = 0; i < characters.length; i++) {
    pending = ((pending << 5) | BASE32.indexOf(characters.charAt(i))) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (pending >> bits) & 0xff;
  }
  return out;
}

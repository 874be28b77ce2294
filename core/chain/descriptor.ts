/**
 * Account descriptors: what the daemon watches without being able to spend.
 *
 * `wpkh([fingerprint/84h/1h/0h]tpub…/0/*)` for BIP84 and `tr(…)` for BIP86, with the branch `0`
 * (receiving), `1` (change) or `<0;1>` (both, BIP389), with or without a checksum (BIP380).
 *
 * Rule 1: a checksum that is there must be right, and the extended key has one of its own; so a
 * slip in copying is found here and not as a wallet that stays empty.
 * Rule 2: a private key is refused at first sight, and no fault shows any part of what was given.
 * Rule 3: `'` and `h` mean the same; we write `h`, as Bitcoin Core does.
 * Rule 4: the key must be one of the network, and as deep as its origin says.
 *
 * Derives no address: the core has no curve. Bitcoin Core derives its own; for Esplora the host
 * does (`derive` in `chain.ts`).
 * @module
 */
import { assert } from "../assert.ts";
import { bad, good, type Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";
import * as base58 from "./base58.ts";
import type { Branch, Network } from "./chain.ts";
import { checksum, checksumLength } from "./checksum.ts";

/** The script of the account's addresses: BIP84 or BIP86. */
export type Kind = "wpkh" | "tr";

export type Account = {
  readonly kind: Kind;
  /** `[fingerprint/path]`, with `h`; empty when none was given. */
  readonly origin: string;
  /** The extended public key as it was written. */
  readonly key: string;
  readonly branches: readonly Branch[];
};

/** One branch of one account of one mixdepth. */
export type Watch = {
  readonly mixdepth: number;
  readonly branch: Branch;
  /** With its checksum; ranged (`/*`). */
  readonly descriptor: string;
};

/** Longer than any account descriptor with the deepest sensible origin. */
export const lengthMax = 400;
/** Accounts of all mixdepths together; twice as many descriptors. */
export const accountsMax = 40;

const FORM = /^(wpkh|tr)\((\[[^\]]*\])?([1-9A-HJ-NP-Za-km-z]+)\/([01]|<0;1>)\/\*\)$/;
const ORIGIN = /^\[([0-9a-fA-F]{8})((?:\/[0-9]{1,10}[h']?)*)\]$/;
const DERIVED = /^(?:wpkh|tr)\(\[[0-9a-f]{8}(?:\/[0-9]+[h']?)*\/([01])\/([0-9]{1,10})\]/;
/** Where a key begins; in the midst of a public key these letters mean nothing. */
const PRIVATE = /(?:^|[^0-9A-Za-z])[xtyzuv]prv/i;
const hardenedMin = 0x80000000;

/**
 * Reads one account descriptor for a network. Faults: `descriptor-private`, `descriptor-checksum`,
 * `descriptor-form`, `descriptor-origin`, `descriptor-key`, `descriptor-network`,
 * `descriptor-depth`.
 */
export function parse(
  text: string, network: Network, sha256: Primitives["sha256"],
): Decoded<Account> {
  if (PRIVATE.test(text)) return privateKey();
  if (text.length > lengthMax) return bad("descriptor-form", "longer than any account descriptor");
  const [body = "", sum, ...rest] = text.trim().split("#");
  if (rest.length > 0) return bad("descriptor-checksum", "more than one checksum");
  if (sum !== undefined && sum !== checksum(body)) {
    return bad("descriptor-checksum", `the ${checksumLength} characters after # do not fit`);
  }
  const found = FORM.exec(body);
  if (found === null) return bad("descriptor-form", formText);
  const [, kind, origin = "", key = "", branch] = found;
  const path = originOf(origin);
  if (path === undefined) return bad("descriptor-origin", "not [fingerprint/84h/0h/0h]");
  const wrong = keyFault(key, path, network, sha256);
  if (wrong !== undefined) return wrong;
  const branches: readonly Branch[] = branch === "0" ? [0] : branch === "1" ? [1] : [0, 1];
  return good({ kind: kind as Kind, origin: canonicalOrigin(origin), key, branches });
}

const formText = "not wpkh([fingerprint/path]xpub/<0;1>/*) nor tr(...) of the same form";

function privateKey(): Decoded<never> {
  const text = "a private key; give the account's public key: nothing here may spend";
  return bad("descriptor-private", text);
}

/** The steps of an origin; none when it was left out. `undefined`: malformed. */
function originOf(origin: string): readonly number[] | undefined {
  if (origin === "") return [];
  const found = ORIGIN.exec(origin);
  if (found === null) return undefined;
  const steps = (found[2] ?? "").split("/").slice(1).map(stepOf);
  return steps.every((step) => step !== undefined) ? steps as number[] : undefined;
}

function stepOf(text: string): number | undefined {
  const isHardened = /[h']$/.test(text);
  const index = Number(isHardened ? text.slice(0, -1) : text);
  if (index >= hardenedMin) return undefined;
  return isHardened ? index + hardenedMin : index;
}

function canonicalOrigin(origin: string): string {
  return origin.replaceAll("'", "h").replace(/^\[[0-9a-fA-F]{8}/, (start) => start.toLowerCase());
}

/** Version bytes of extended keys (BIP32), as one number. */
const PUBLIC = { main: 0x0488b21e, test: 0x043587cf } as const;
const PRIVATES: readonly number[] = [0x0488ade4, 0x04358394];
/** Keys whose prefix names a script (SLIP132); descriptors name it themselves. */
const NAMED: readonly number[] = [0x049d7cb2, 0x04b24746, 0x044a5262, 0x045f1cf6];
const keyBytes = 78;

function keyFault(
  key: string, path: readonly number[], network: Network, sha256: Primitives["sha256"],
): Decoded<never> | undefined {
  const bytes = base58.decode(key, sha256);
  if (bytes === undefined) return bad("descriptor-key", "the key's own checksum does not fit");
  // A bare private key (WIF) has this form too; only its prefix differs.
  if (bytes.length !== keyBytes) return bad("descriptor-key", "not an extended public key");
  const version = numberAt(bytes, 0);
  if (PRIVATES.includes(version)) return privateKey();
  if (NAMED.includes(version)) {
    return bad("descriptor-key", "a ypub, zpub, upub or vpub; give the same key as xpub or tpub");
  }
  if (version !== PUBLIC.main && version !== PUBLIC.test) {
    return bad("descriptor-key", "not an extended public key");
  }
  if ((version === PUBLIC.main) !== (network === "mainnet")) {
    return bad("descriptor-network", `not a key of ${network}`);
  }
  if (bytes[45] !== 2 && bytes[45] !== 3) return bad("descriptor-key", "no compressed public key");
  return depthFault(bytes, path);
}

/** An origin that does not belong to the key is a slip in copying. */
function depthFault(bytes: Uint8Array, path: readonly number[]): Decoded<never> | undefined {
  if (path.length === 0) return undefined;
  const fits = bytes[4] === path.length && numberAt(bytes, 9) === path.at(-1);
  return fits ? undefined : bad("descriptor-depth", "the origin is not that of this key");
}

function numberAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return bytes[at]! * 0x1000000 + low;
}

/** The descriptor of one branch, with its checksum. */
export function descriptorOf(account: Account, branch: Branch): string {
  assert(account.branches.includes(branch), "a branch that is not watched");
  const body = `${account.kind}(${account.origin}${account.key}/${branch}/*)`;
  const sum = checksum(body);
  assert(sum !== undefined, "a descriptor has descriptors' characters");
  return `${body}#${sum}`;
}

/**
 * All branches of all accounts: `mixdepths[m]` holds the accounts of mixdepth `m`. Faults:
 * `descriptor-twice`: coins would be counted in two mixdepths; `descriptor-many`.
 */
export function watchOf(mixdepths: readonly (readonly Account[])[]): Decoded<readonly Watch[]> {
  const all: Watch[] = [];
  const seen = new Set<string>();
  for (const [mixdepth, accounts] of mixdepths.entries()) {
    for (const account of accounts) {
      for (const branch of account.branches) {
        const name = `${account.kind} ${account.key} ${branch}`;
        if (seen.has(name)) return bad("descriptor-twice", "one account stands for two mixdepths");
        seen.add(name);
        all.push({ mixdepth, branch, descriptor: descriptorOf(account, branch) });
      }
    }
  }
  if (all.length > 2 * accountsMax) {
    return bad("descriptor-many", `more than ${accountsMax} accounts`);
  }
  return good(all);
}

/** A descriptor as others may write it, in our spelling: without checksum, hardened by `h`. */
export function canonical(descriptor: string): string {
  return descriptor.replace(/#.*$/, "").replaceAll("'", "h");
}

/**
 * Branch and index of the address behind a descriptor that Bitcoin Core derived, which ends its
 * origin with them: `wpkh([fingerprint/84h/1h/0h/0/7]key)`.
 */
export function placeOf(derived: string): { branch: Branch; index: number } | undefined {
  const found = DERIVED.exec(derived);
  if (found === null) return undefined;
  const index = Number(found[2]);
  return index < hardenedMin ? { branch: found[1] === "0" ? 0 : 1, index } : undefined;
}

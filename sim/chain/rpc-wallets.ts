/**
 * Wallets as files of the node: made, loaded, unloaded, listed; and the till, which pays whomever a
 * test or an operator wants paid.
 * @module
 */
import { satFrom } from "../../core/chain/amount.ts";
import { integerOf } from "../../core/chain/fields.ts";
import type { Json } from "../../core/joinmarket/json.ts";
import { derivedOf, isAddress, summed } from "./address.ts";
import { mine } from "./blocks.ts";
import { unload, type Chain } from "./chain.ts";
import { btc } from "./json.ts";
import {
  hashFault, no, said, text, type Args, type Context, type Method, type Said,
} from "./rpc-call.ts";
import { bump, pay } from "./till.ts";
import { create, follow, type Wallet } from "./wallets.ts";

export const methods: { readonly [name: string]: Method } = {
  createwallet: {
    params: [
      "wallet_name:string", "disable_private_keys?:bool", "blank?:bool", "passphrase?:string",
      "avoid_reuse?:bool", "descriptors?:bool", "load_on_startup?:bool",
    ],
    run: make,
  },
  loadwallet: { params: ["filename:string", "load_on_startup?:bool"], run: load },
  unloadwallet: { params: ["wallet_name:string", "load_on_startup?:bool"], run: unloadOne },
  listwallets: { params: [], run: listLoaded },
  listwalletdir: { params: [], run: listFiles },
  deriveaddresses: { params: ["descriptor:string", "range?:any"], run: derive },
  getdescriptorinfo: { params: ["descriptor:string"], run: descriptorInfo },
};

export const tillMethods: { readonly [name: string]: Method } = {
  generatetoaddress: {
    params: ["nblocks:number", "address:string", "maxtries?:number"], run: generate,
  },
  sendtoaddress: {
    params: [
      "address:string", "amount:any", "comment?:string", "comment_to?:string",
      "subtractfeefromamount?:bool", "replaceable?:bool", "conf_target?:any",
      "estimate_mode?:any", "avoid_reuse?:any", "fee_rate?:any", "verbose?:any",
    ],
    run: send,
  },
  bumpfee: { params: ["txid:string", "options?:object"], run: bumpOne },
};

function pathOf({ config }: Chain, name: string): string {
  return `${config.walletFolder}/${name}`;
}

const failedToCheck = "Wallet file verification failed.";

function make({ chain, view, nowMs }: Context, args: Args): Said {
  const name = text(args[0]);
  if (chain.wallets.has(name)) {
    const why = `Failed to create database path '${pathOf(chain, name)}'. Database already exists.`;
    return no(-4, `${failedToCheck} ${why}`);
  }
  if (args[5] === false) {
    return no(-4, "descriptors argument must be set to \"true\"; it is no longer possible to "
      + "create a legacy wallet.");
  }
  const wallet = create(name, args[1] !== true, Math.floor(nowMs / 1_000), view);
  if (wallet.hasKeys) adopt(wallet, chain.ledger.minerAddress);
  remember(wallet, args[6]);
  chain.wallets.set(name, wallet);
  const isEmpty = args[3] === "";
  const warning = "Empty string given as passphrase, wallet will not be encrypted.";
  return said({ name, warnings: isEmpty ? [warning] : undefined });
}

/** Whoever has keys is the miner: there are no others to have. */
function adopt(wallet: Wallet, address: string): void {
  wallet.owned.set(address, undefined);
  wallet.cursor = 0;
}

/** Nothing said: as before. */
function remember(wallet: Wallet, atStart: Json | undefined): void {
  if (typeof atStart === "boolean") wallet.isAtStart = atStart;
}

function load({ chain, view, nowMs, state }: Context, [filename, atStart]: Args): Said {
  const name = text(filename);
  const wallet = chain.wallets.get(name);
  if (wallet === undefined) {
    const why = `Failed to load database path '${pathOf(chain, name)}'. Path does not exist.`;
    return no(-18, `${failedToCheck} ${why}`);
  }
  if (state.isLoading) return no(-4, "Wallet already loading.");
  if (wallet.isLoaded) return no(-35, `Wallet "${name}" is already loaded.`);
  wallet.isLoaded = true;
  remember(wallet, atStart);
  follow(wallet, view, nowMs, chain.config);
  return said({ name });
}

function unloadOne({ chain }: Context, [given, atStart]: Args): Said {
  const name = text(given);
  if (!unload(chain, name)) return no(-18, notLoaded);
  remember(chain.wallets.get(name)!, atStart);
  return said({});
}

export const notLoaded = "Requested wallet does not exist or is not loaded";

function listLoaded({ chain, state }: Context): Said {
  if (state.isLoading) return said([]);
  return said([...chain.wallets.values()].filter((one) => one.isLoaded).map((one) => one.name));
}

function listFiles({ chain }: Context): Said {
  return said({ wallets: [...chain.wallets.keys()].map((name) => ({ name })) });
}

/** A descriptor without its checksum, which must be right; or the node's complaint. */
export function unsummed(
  descriptor: string, isNeeded: boolean,
): { readonly body: string } | { readonly wrong: Extract<Said, { ok: false }> } {
  const [body = "", sum] = descriptor.split("#");
  const right = summed(body).slice(body.length + 1);
  if (sum === undefined) return isNeeded ? { wrong: no(-5, "Missing checksum") } : { body };
  if (sum === right) return { body };
  const why = `Provided checksum '${sum}' does not match computed checksum '${right}'`;
  return { wrong: no(-5, why) };
}

const addressForm = /^addr\(([0-9a-z]+)\)$/;

/** The address of `addr(…)`; `undefined` for any other descriptor. */
export function fixedOf(body: string): string | undefined {
  const address = addressForm.exec(body)?.[1];
  return address !== undefined && isAddress(address) ? address : undefined;
}

/** Is it one whose addresses can be derived? */
export function isRanged(body: string): boolean {
  return derivedOf(body, 0) !== undefined;
}

export function notADescriptor(body: string): Extract<Said, { ok: false }> {
  return no(-5, `'${body}' is not a valid descriptor function`);
}

/** `[first, last]`, or the last alone. */
export function rangeOf(j: Json | undefined): readonly [number, number] | undefined {
  const last = integerOf(j);
  if (last !== undefined) return last >= 0 ? [0, last] : undefined;
  const [a, b] = Array.isArray(j) ? (j as readonly Json[]).map(integerOf) : [];
  if (a === undefined || b === undefined || a < 0 || b < a) return undefined;
  return b - a < 1_000_000 ? [a, b] : undefined;
}

function derive({ chain }: Context, [descriptor, range]: Args): Said {
  const checked = unsummed(text(descriptor), true);
  if ("wrong" in checked) return checked.wrong;
  const { body } = checked;
  const fixed = fixedOf(body);
  if (fixed !== undefined) return said([fixed]);
  if (!isRanged(body)) return notADescriptor(body);
  const bounds = rangeOf(range);
  if (bounds === undefined) {
    return no(-8, "Range must be specified for a ranged descriptor");
  }
  const addresses: string[] = [];
  for (let index = bounds[0]; index <= bounds[1]; index += 1) {
    addresses.push(chain.config.addressOf(text(descriptor), index));
  }
  return said(addresses);
}

function descriptorInfo(_: Context, [descriptor]: Args): Said {
  const checked = unsummed(text(descriptor), false);
  if ("wrong" in checked) return checked.wrong;
  const { body } = checked;
  const isFixed = fixedOf(body) !== undefined;
  if (!isFixed && !isRanged(body)) return notADescriptor(body);
  const whole = summed(body);
  return said({
    descriptor: whole, checksum: whole.slice(body.length + 1), isrange: !isFixed,
    issolvable: !isFixed, hasprivatekeys: false,
  });
}

/** As many blocks as anybody wants at once. */
const blocksMax = 10_000;

function generate({ chain, nowMs }: Context, [count, address]: Args): Said {
  const blocks = integerOf(count) ?? 0;
  if (!isAddress(text(address))) return no(-5, "Error: Invalid address");
  if (blocks < 0 || blocks > blocksMax) return no(-8, `No more than ${blocksMax} blocks at once`);
  return said(mine(chain.ledger, blocks, nowMs, { address: text(address) }));
}

function send({ chain, nowMs }: Context, [address, amount]: Args): Said {
  const valueSat = satFrom(amount);
  if (valueSat === undefined || valueSat <= 0n) return no(-3, "Invalid amount");
  const to = text(address);
  if (!isAddress(to)) return no(-5, `Invalid Bitcoin address: ${to}`);
  const txid = pay(chain.ledger, to, valueSat, nowMs);
  return txid === undefined ? no(-6, "Insufficient funds") : said(txid);
}

/** What a replacement pays more, in satoshis. */
const bumpSat = 706n;

function bumpOne({ chain, nowMs }: Context, [txid]: Args): Said {
  const wrong = hashFault("txid", txid);
  if (wrong !== undefined) return wrong;
  const id = text(txid);
  const tx = chain.ledger.pool.get(id)?.tx;
  if (tx === undefined) return no(-4, "Transaction is not in the mempool");
  const sent = bump(chain.ledger, id, bumpSat, nowMs);
  if (sent?.ok !== true) return no(-4, "The transaction has no change to pay a fee from");
  const fee = btc(tx.feeSat + bumpSat);
  return said({ txid: sent.txid, origfee: btc(tx.feeSat), fee, errors: [] });
}

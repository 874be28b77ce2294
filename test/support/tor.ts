/**
 * A small Tor for tests: the part of its control port that we use, as Tor 0.4.9 answers, over lines
 * of text. Plain calls, no sockets; it proves cookies and passwords for real.
 * @module
 */
import { createHash, createHmac, randomBytes } from "node:crypto";

export const base32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The address of a public key, with its checksum. */
export function hostOf(key: Uint8Array): string {
  const version = Buffer.of(3);
  const sum = createHash("sha3-256")
    .update(Buffer.concat([Buffer.from(".onion checksum"), key, version])).digest();
  const bytes = Buffer.concat([key, sum.subarray(0, 2), version]);
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  let out = "";
  for (let i = 0; i < bits.length; i += 5) out += base32[Number.parseInt(bits.slice(i, i + 5), 2)];
  return `${out}.onion`;
}

/** In this Tor a key's address follows from its blob by a hash, not by a curve. */
export function hostOfBlob(blob: string): string {
  return hostOf(createHash("sha256").update(blob).digest());
}

export type FakeTor = {
  methods: string;
  cookie: Uint8Array;
  password: string;
  knowsPow: boolean;
  /** What `ADD_ONION` is answered with, whatever it says. */
  refusal: string | undefined;
  /** Services of other control connections. */
  readonly elsewhere: Set<string>;
  readonly detached: Set<string>;
  /** What it was told, in order. */
  readonly heard: string[];
  /** The next keys; random ones after that. */
  readonly blobs: string[];
};

export function fakeTor(): FakeTor {
  return {
    methods: "COOKIE,SAFECOOKIE", cookie: new Uint8Array(32).fill(7), password: "", knowsPow: true,
    refusal: undefined,
    elsewhere: new Set(), detached: new Set(), heard: [], blobs: [],
  };
}

/** One control connection. `say` takes whole lines and gives what Tor answers. */
export type Talk = { readonly services: Set<string>; say(text: string): string };

export function talk(tor: FakeTor): Talk {
  const services = new Set<string>();
  let nonces: Buffer | undefined;
  let isIn = false;

  function hash(way: string): string {
    const key = `Tor safe cookie authentication ${way} hash`;
    return createHmac("sha256", key).update(tor.cookie).update(nonces ?? "").digest("hex");
  }

  function authenticate(hex: string): string {
    const proofs = [hash("controller-to-server")];
    const methods = tor.methods.split(",");
    if (methods.includes("HASHEDPASSWORD")) proofs.push(Buffer.from(tor.password).toString("hex"));
    if (methods.includes("COOKIE")) proofs.push(Buffer.from(tor.cookie).toString("hex"));
    if (methods.includes("NULL")) proofs.push("");
    isIn = proofs.includes(hex);
    return isIn ? "250 OK" : "515 Authentication failed: it did not match.";
  }

  function add(words: readonly string[]): string {
    const [key = "", ...rest] = words;
    if (!tor.knowsPow && rest.some((word) => word.startsWith("PoW"))) {
      return '512 Bad arguments to ADD_ONION: Unrecognized keyword argument "PoWDefensesEnabled"';
    }
    if (tor.refusal !== undefined) return tor.refusal;
    const isNew = key === "NEW:ED25519-V3";
    const blob = isNew ? tor.blobs.shift() ?? randomBytes(64).toString("base64") : key.slice(11);
    const id = hostOfBlob(blob).slice(0, 56);
    if ([services, tor.elsewhere, tor.detached].some((set) => set.has(id))) {
      return "550 Onion address collision";
    }
    services.add(id);
    return [
      `250-ServiceID=${id}`, ...(isNew ? [`250-PrivateKey=ED25519-V3:${blob}`] : []), "250 OK",
    ].join("\r\n");
  }

  function answer(line: string): string {
    tor.heard.push(line);
    const [command, ...words] = line.split(" ");
    if (command === "PROTOCOLINFO") {
      const file = tor.methods.includes("COOKIE") ? ' COOKIEFILE="/run/tor/cookie"' : "";
      return `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=${tor.methods}${file}\r\n`
        + '250-VERSION Tor="0.4.9.11"\r\n250 OK';
    }
    if (command === "AUTHCHALLENGE") {
      const theirs = randomBytes(32);
      nonces = Buffer.concat([Buffer.from(words[1] ?? "", "hex"), theirs]);
      const server = hash("server-to-controller").toUpperCase();
      const nonce = theirs.toString("hex").toUpperCase();
      return `250 AUTHCHALLENGE SERVERHASH=${server} SERVERNONCE=${nonce}`;
    }
    if (command === "AUTHENTICATE") return authenticate(words[0] ?? "");
    if (!isIn) return "514 Authentication required.";
    if (command === "SETEVENTS") return "250 OK";
    if (command === "ADD_ONION") return add(words);
    if (command === "DEL_ONION") {
      const isGone = services.delete(words[0] ?? "") || tor.detached.delete(words[0] ?? "");
      return isGone ? "250 OK" : "552 Unknown Onion Service id";
    }
    if (command === "GETINFO") {
      const list = [...services];
      const current = list.length < 2 ? `250-onions/current=${list.join("")}`
        : `250+onions/current=\r\n${list.join("\r\n")}\r\n.`;
      return `${current}\r\n250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done `
        + 'SUMMARY="Done"\r\n250 OK';
    }
    return `510 Unrecognized command "${command}"`;
  }

  function say(text: string): string {
    const lines = text.split("\r\n").slice(0, -1);
    return lines.map((line) => `${answer(line)}\r\n`).join("");
  }

  return { services, say };
}

/**
 * Secrets from where operators keep them: a file, an open descriptor, a systemd credential.
 *
 * Rule 1: read anew at each call: a cookie changes when its program restarts. A descriptor can be
 * read once only and is remembered.
 * Rule 2: what goes wrong names the place and never the content.
 * @module
 */
import * as fs from "node:fs";
import { join } from "node:path";

/** A secret's text without the line end, or what is wrong in a sentence. */
export type SecretRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly says: string };

export type SecretSource = {
  /** Where it comes from, for messages. */
  readonly place: string;
  readonly read: () => SecretRead;
};

/** No password, cookie or token is longer. */
export const secretBytesMax = 4_096;

/** What names a secret, for messages and documentation. */
export const secretForm =
  "a path, fd:N (a descriptor) or credential:NAME (of systemd)";

/**
 * The secret that `text` names: a path, `fd:N`, or `credential:NAME` in the folder that systemd
 * names in `CREDENTIALS_DIRECTORY`. `undefined` if it names nothing.
 */
export function secretSource(
  text: string, env: Readonly<Record<string, string | undefined>>,
): SecretSource | undefined {
  const [, fd] = /^fd:([0-9]{1,6})$/.exec(text) ?? [];
  if (fd !== undefined) return fromDescriptor(Number(fd));
  const [, name] = /^credential:([A-Za-z0-9_.-]{1,255})$/.exec(text) ?? [];
  if (name !== undefined) return fromCredential(name, env["CREDENTIALS_DIRECTORY"]);
  if (text === "" || text.includes("\0") || /^(fd|credential):/.test(text)) return undefined;
  return { place: text, read: () => readFrom(text, text) };
}

function fromDescriptor(fd: number): SecretSource {
  const place = `descriptor ${fd}`;
  let known: SecretRead | undefined;
  return { place, read: () => (known ??= readFrom(fd, place)) };
}

function fromCredential(name: string, folder: string | undefined): SecretSource {
  const place = `credential ${name}`;
  if (folder === undefined || folder === "") {
    const says = `${place}: CREDENTIALS_DIRECTORY is not set; it is set for services that have ` +
      `LoadCredential=${name}:PATH`;
    return { place, read: () => ({ ok: false, says }) };
  }
  return { place, read: () => readFrom(join(folder, name), place) };
}

/** A path that is a pipe would be waited for, and a daemon reads its secrets while it works. */
const pathFlags = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0);

function readFrom(file: string | number, place: string): SecretRead {
  let fd: number | undefined;
  try {
    fd = typeof file === "number" ? file : fs.openSync(file, pathFlags);
    if (typeof file === "string" && fs.fstatSync(fd).isFIFO()) {
      return { ok: false, says: `${place}: a pipe; give it as fd:N` };
    }
    const bytes = Buffer.alloc(secretBytesMax + 1);
    const size = fill(fd, bytes);
    if (size > secretBytesMax) return { ok: false, says: `${place}: longer than any secret` };
    const text = bytes.toString("utf8", 0, size).replace(/\r?\n$/, "");
    bytes.fill(0);
    if (text === "") return { ok: false, says: `${place}: empty` };
    if (/[\0\r\n]/.test(text)) return { ok: false, says: `${place}: more than one line` };
    return { ok: true, text };
  } catch (error) {
    return { ok: false, says: `${place}: ${(error as Error).message}` };
  } finally {
    if (fd !== undefined && typeof file === "string") fs.closeSync(fd);
  }
}

function fill(fd: number, bytes: Buffer): number {
  let size = 0;
  while (size < bytes.length) {
    const got = fs.readSync(fd, bytes, size, bytes.length - size, null);
    if (got === 0) return size;
    size += got;
  }
  return size;
}

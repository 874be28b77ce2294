/**
 * An append-only file of trace lines.
 *
 * Rule 1: never writes over a record: a file that already holds something is refused.
 * Rule 2: lines are collected and written in blocks; `flush` and `close` write what is left.
 * Rule 3: the first failure ends the recording and is told once; the daemon goes on.
 * @module
 */
import * as fs from "node:fs";

export type OpenFailure = {
  readonly reason: "exists" | "denied" | "missing-folder" | "is-folder" | "read-only" | "other";
  readonly text: string;
};

export type WriteFailure = {
  readonly reason: "no-space" | "too-big" | "other";
  readonly text: string;
};

export interface TraceFile {
  readonly path: string;
  /** Adds one line (without its newline). False once recording has stopped. */
  write(line: string): boolean;
  flush(): void;
  /** Writes the footer, if any, and closes. Harmless when repeated. */
  close(footer?: string): void;
}

export type Opened =
  | { readonly ok: true; readonly file: TraceFile }
  | { readonly ok: false; readonly failure: OpenFailure };

/** Lines are held back up to this many characters. */
const blockMax = 65_536;

/** Opens `path` for a new record, mode 0600. `failed` is called once, at the first failed write. */
export function open(path: string, failed: (failure: WriteFailure) => void): Opened {
  let fd: number;
  try {
    fd = fs.openSync(path, "a", 0o600);
  } catch (error) {
    return { ok: false, failure: openFailure(path, error) };
  }
  const about = fs.fstatSync(fd);
  if (about.isFile() && about.size > 0) {
    fs.closeSync(fd);
    const text = `${path} already holds something; a record is never written over`;
    return { ok: false, failure: { reason: "exists", text } };
  }
  return { ok: true, file: writer(path, fd, failed) };
}

function writer(path: string, fd: number, failed: (failure: WriteFailure) => void): TraceFile {
  let block = "";
  let state: "open" | "failed" | "closed" = "open";

  function flush(): void {
    if (state !== "open" || block === "") return;
    const bytes = Buffer.from(block, "latin1");
    block = "";
    try {
      writeAll(fd, bytes);
    } catch (error) {
      state = "failed";
      fs.closeSync(fd);
      failed(writeFailure(path, error));
    }
  }

  function write(line: string): boolean {
    if (state !== "open") return false;
    block += `${line}\n`;
    if (block.length >= blockMax) flush();
    return stillOpen();
  }

  function stillOpen(): boolean {
    return state === "open";
  }

  function close(footer?: string): void {
    if (footer !== undefined) write(footer);
    flush();
    if (!stillOpen()) return;
    state = "closed";
    fs.closeSync(fd);
  }

  return { path, write, flush, close };
}

function writeAll(fd: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}

function openFailure(path: string, error: unknown): OpenFailure {
  const code = codeOf(error);
  switch (code) {
    case "EACCES":
    case "EPERM": return { reason: "denied", text: `no right to write ${path}` };
    case "ENOENT":
    case "ENOTDIR":
      return { reason: "missing-folder", text: `the folder of ${path} does not exist` };
    case "EISDIR": return { reason: "is-folder", text: `${path} is a folder` };
    case "EROFS": return { reason: "read-only", text: `${path} is on a read-only file system` };
    default: return { reason: "other", text: `cannot open ${path}: ${code}` };
  }
}

function writeFailure(path: string, error: unknown): WriteFailure {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return { reason: "no-space", text: `no space left for ${path}` };
  }
  if (code === "EFBIG") return { reason: "too-big", text: `${path} has reached the size limit` };
  return { reason: "other", text: `cannot write ${path}: ${code}` };
}

/** No step and no scenario is as long. 128 Mi. */
const lineMax = 134_217_728;

/**
 * The lines of a trace file, each with its newline, read block by block. One byte is one character:
 * traces are ASCII, and a damaged byte must stay visible. Throws what the file system throws, and
 * for a line without an end.
 */
export function* readLines(path: string): Generator<string> {
  const fd = fs.openSync(path, "r");
  try {
    const block = Buffer.alloc(blockMax);
    let rest = "";
    for (let size = fs.readSync(fd, block); size > 0; size = fs.readSync(fd, block)) {
      const [first = "", ...others] = block.toString("latin1", 0, size).split("\n");
      // Only what is new is searched: a long line would be looked through again and again.
      rest += first;
      for (const next of others) {
        yield `${rest}\n`;
        rest = next;
      }
      if (rest.length > lineMax) throw new Error(`a line of more than ${lineMax} characters`);
    }
    if (rest !== "") yield rest;
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes the tail of a broken run into `folder`, mode 0600. `undefined` if that fails. */
export function writeCrash(
  folder: string,
  stamp: string,
  lines: readonly string[],
): string | undefined {
  const path = `${folder}/crash-${stamp}.trace`;
  try {
    fs.writeFileSync(path, lines.map((line) => `${line}\n`).join(""), { mode: 0o600, flag: "wx" });
    return path;
  } catch {
    return undefined;
  }
}

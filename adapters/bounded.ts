/**
 * What a file holds, up to what its reader can use.
 *
 * Rule 1: never more is read than may be there: a device has no end, and a disk has room for files
 * that memory has not.
 * Rule 2: opening waits for nobody. Where only a regular file will do, a pipe is refused; elsewhere
 * it is read to its end, as the operator asked.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** `code`: the system's, or `TOO_LARGE`, `NOT_REGULAR`. `says`: without the name of the file. */
export type Bounded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly code: string; readonly says: string };

export type BoundedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: string; readonly says: string };

const pieceBytes = 65_536;

/** At most `bytesMax` bytes; a file with more is refused. Never throws. */
export function readBytes(
  file: string, bytesMax: number, kind: "regular" | "any" = "regular",
): Bounded {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    const waits = kind === "any" ? 0 : constants.O_NONBLOCK ?? 0;
    fd = openSync(file, constants.O_RDONLY | waits);
    const about = fstatSync(fd);
    if (about.isDirectory()) return bad("EISDIR", "it is a directory");
    if (kind === "regular" && !about.isFile()) return irregular();
    if (about.isFile() && about.size > bytesMax) return tooLarge(bytesMax);
    const bytes = take(fd, bytesMax, about.size);
    return bytes === undefined ? tooLarge(bytesMax) : { ok: true, bytes };
  } catch (error) {
    const { code = "unknown", message } = error as NodeJS.ErrnoException;
    // A socket file, or a pipe that cannot be opened without waiting.
    return code === "ENXIO" ? irregular() : bad(code, message);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** As `readBytes`, as UTF-8, without the mark at its beginning. */
export function readText(
  file: string, bytesMax: number, kind: "regular" | "any" = "regular",
): BoundedText {
  const read = readBytes(file, bytesMax, kind);
  if (!read.ok) return read;
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(read.bytes) };
  } catch {
    return bad("NOT_UTF8", "it is not UTF-8 text");
  }
}

/** `undefined`: there is more. `sizeHint`: it may have grown, or be a pipe that has none. */
function take(fd: number, bytesMax: number, sizeHint: number): Uint8Array | undefined {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let piece = new Uint8Array(Math.max(pieceBytes, sizeHint + 1));
  let filled = 0;
  for (;;) {
    const more = readSync(fd, piece, filled, piece.length - filled, null);
    filled += more;
    size += more;
    if (size > bytesMax) return undefined;
    if (more === 0) break;
    if (filled < piece.length) continue;
    pieces.push(piece);
    piece = new Uint8Array(pieceBytes);
    filled = 0;
  }
  const last = piece.subarray(0, filled);
  return pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
}

function irregular(): Extract<Bounded, { ok: false }> {
  return bad("NOT_REGULAR", "it is not a regular file");
}

function tooLarge(bytesMax: number): Extract<Bounded, { ok: false }> {
  return bad("TOO_LARGE", `it is longer than ${bytesMax} bytes; is it the right file?`);
}

function bad(code: string, says: string): Extract<Bounded, { ok: false }> {
  return { ok: false, code, says };
}

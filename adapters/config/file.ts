/**
 * The text of a configuration file, or why there is none.
 *
 * Rule 1: only a regular file is read: a pipe would be waited for, a device may never end.
 * Rule 2: no more is read than any configuration can need.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly says: string };

/** The template with every key is a hundredth of this. */
const fileBytesMax = 1_048_576;

/** Reads `file` as UTF-8. Never throws and never waits. */
export function readConfig(file: string): FileText {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const about = fstatSync(fd);
    if (about.isDirectory()) return bad(failure({ code: "EISDIR" }));
    if (!about.isFile()) return bad("it is not a regular file; save the settings in one");
    const bytes = readAll(fd);
    if (bytes.length > fileBytesMax) {
      return bad(`it is longer than ${fileBytesMax} bytes; is it the right file?`);
    }
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    return bad(failure(error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** At most one byte more than may be. */
function readAll(fd: number): Uint8Array {
  const bytes = new Uint8Array(fileBytesMax + 1);
  let size = 0;
  while (size < bytes.length) {
    const more = readSync(fd, bytes, size, bytes.length - size, null);
    if (more === 0) break;
    size += more;
  }
  return bytes.subarray(0, size);
}

function bad(says: string): FileText {
  return { ok: false, says };
}

function failure(error: unknown): string {
  switch ((error as { code?: unknown }).code) {
    case "ENOENT": return "there is no such file; `dogwatch config init > FILE` writes one";
    case "EACCES": return "permission denied; make it readable for the user that runs Dogwatch";
    case "EISDIR": return "it is a directory; name the file in it";
    case "ENXIO": return "it is not a regular file; save the settings in one";
    case "ERR_ENCODING_INVALID_ENCODED_DATA": return "it is not UTF-8 text";
    default: return (error as Error).message;
  }
}

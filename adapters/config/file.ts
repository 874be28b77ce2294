/**
 * The text of a configuration file, or why there is none.
 * @module
 */
import { readText } from "../bounded.ts";

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly says: string };

/** The template with every key is a hundredth of this. */
const fileBytesMax = 1_048_576;

/** Reads `file` as UTF-8. Never throws and never waits. */
export function readConfig(file: string): FileText {
  const read = readText(file, fileBytesMax);
  return read.ok ? read : { ok: false, says: advice(read.code, read.says) };
}

function advice(code: string, says: string): string {
  switch (code) {
    case "ENOENT": return "there is no such file; `dogwatch config init > FILE` writes one";
    case "EACCES": return "permission denied; make it readable for the user that runs Dogwatch";
    case "EISDIR": return `${says}; name the file in it`;
    case "NOT_REGULAR": return `${says}; save the settings in one`;
    default: return says;
  }
}

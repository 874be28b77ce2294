/**
 * Who lives in the demo beside the directory, and where what it keeps lies: in a folder of its own
 * that goes with the process.
 *
 * Rule 1: the folder stays if an invariant broke: then the last steps are there.
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../../adapters/address.ts";
import { exits } from "../exit.ts";

/** A daemon with the world around it. */
export interface Resident {
  readonly http: Address;
  /** What is around it begins to move. */
  readonly play: () => void;
  readonly stop: (why: string) => void;
  /** The exit code, when it has ended and nothing of it is left. */
  readonly ended: Promise<number>;
}

export type Opened<T> =
  | { readonly ok: true; readonly resident: T }
  | { readonly ok: false; readonly exit: number; readonly says: string };

/** Opens a resident in a folder that is new, and gone after it. */
export async function housed<T extends Resident>(
  openIn: (folder: string) => Promise<Opened<T>>,
): Promise<Opened<T>> {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-demo-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // However the process ends, short of being killed.
  process.once("exit", remove);
  const opened = await openIn(folder);
  if (!opened.ok) remove();
  const ended = opened.ok ? opened.resident.ended : Promise.resolve(exits.ok);
  void ended.then((code) => {
    if (code !== exits.invariant) remove();
    process.off("exit", remove);
  });
  return opened;
}

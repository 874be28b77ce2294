/**
 * Puts a file in another one's place, so that a crash at any moment leaves one of the two, whole.
 *
 * Rule 1: the new file is written beside the old one, and is on disk before it takes its name; the
 * name is on disk before this is said to be done.
 * Rule 2: what a crash left beside it is overwritten; what fails leaves the old file in place.
 * @module
 */
import * as fs from "node:fs/promises";
import { dirname } from "node:path";

/** What it is called until it is whole. */
export function besideOf(path: string): string {
  return `${path}.new`;
}

export type Step = () => Promise<unknown>;

/** The steps, in order; for tests, which stop in between. */
export function stepsOf(path: string, bytes: Uint8Array): readonly Step[] {
  const beside = besideOf(path);
  let file: fs.FileHandle | undefined;
  return [
    async () => {
      file = await fs.open(beside, "w", 0o600);
    },
    async () => file?.writeFile(bytes),
    async () => file?.sync(),
    async () => file?.close(),
    () => fs.rename(beside, path),
    async () => {
      // Windows opens no folders and needs no such sync.
      if (process.platform === "win32") return;
      const folder = await fs.open(dirname(path), "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
  ];
}

/** Does it; what went wrong otherwise, in the system's words. */
export async function replace(path: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    for (const step of stepsOf(path, bytes)) await step();
    return undefined;
  } catch (error) {
    await fs.rm(besideOf(path), { force: true }).catch(() => {});
    return (error as Error).message;
  }
}

/**
 * Which files there are, by folder. Paths are relative to the repository's root, with `/`, in
 * order.
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";

/** Every file under the folders of `root`; a folder that is not there is empty. */
export function files(root: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) => listed(root, folder)).sort(inOrder);
}

/** Every TypeScript file under the folders. */
export function sources(root: string, folders: readonly string[]): string[] {
  return files(root, folders).filter((file) => file.endsWith(".ts"));
}

/** The text of a file. */
export function text(root: string, file: string): string {
  return fs.readFileSync(path.join(root, file), "utf8");
}

function listed(root: string, folder: string): string[] {
  const at = path.join(root, folder);
  if (!fs.existsSync(at)) return [];
  return fs.readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    return entry.isDirectory() ? listed(root, name) : [name];
  });
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

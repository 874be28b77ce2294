/**
 * Copies of the compiled library with a bug planted in each.
 *
 * Rule 1: a copy is a tree of hard links, of which only the patched files are files of their own;
 * where there can be no links, files are copied.
 * Rule 2: a patch that does not fit exactly once is an error: the list is then about other code.
 * Rule 3: only `core` and `sim` are copied, and only what runs.
 * @module
 */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One text of one file of the library, and what it becomes. */
export type Patch = { readonly file: string; readonly find: string; readonly replace: string };

export type Planted =
  | { readonly ok: true; readonly lib: string }
  | { readonly ok: false; readonly says: string };

const parts = ["core", "sim"] as const;

/** Where the compiled library of this very program lies; `undefined` if it was not built. */
export function libraryHere(here: string = import.meta.url): string | undefined {
  const file = fileURLToPath(here);
  const tree = /^(.*)[\\/]cli[\\/]sim[\\/][^\\/]+\.(ts|js)$/.exec(file);
  const [, root = dirname(file), kind = ""] = tree ?? [];
  const lib = kind === "js" ? root : join(root, kind === "ts" ? "dist/lib" : "lib");
  return isLibrary(lib) ? lib : undefined;
}

/** Can worlds be run from this folder? */
export function isLibrary(lib: string): boolean {
  return fs.existsSync(join(lib, "sim/runner.js"));
}

/** Makes `into` a copy of `lib` with these patches; what was there before is gone. */
export function plant(lib: string, into: string, patches: readonly Patch[]): Planted {
  fs.rmSync(into, { recursive: true, force: true });
  for (const part of parts) link(join(lib, part), join(into, part));
  fs.writeFileSync(join(into, "package.json"), `{ "type": "module" }\n`);
  for (const patch of patches) {
    const says = apply(into, patch);
    if (says !== undefined) return { ok: false, says };
  }
  return { ok: true, lib: into };
}

function link(from: string, to: string): void {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) link(source, target);
    else if (entry.name.endsWith(".js")) linkFile(source, target);
  }
}

function linkFile(source: string, target: string): void {
  try {
    fs.linkSync(source, target);
  } catch {
    fs.copyFileSync(source, target);
  }
}

/** What is wrong, or `undefined` if it fits. The file is replaced, never written into. */
function apply(root: string, { file, find, replace }: Patch): string | undefined {
  const path = join(root, file);
  const before = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : undefined;
  if (before === undefined) return `${file} is not in the library`;
  const pieces = before.split(find);
  if (pieces.length !== 2) return `the patch fits ${pieces.length - 1} times in ${file}, not once`;
  fs.rmSync(path);
  fs.writeFileSync(path, pieces.join(replace));
  return undefined;
}

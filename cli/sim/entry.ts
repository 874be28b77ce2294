/**
 * How this very program is started again, for workers.
 *
 * Rule 1: the same Node, the same flags of V8, the same file: the bundle itself, or the entry point
 * beside these sources or their compiled form.
 * @module
 */
import { fileURLToPath } from "node:url";

/** A command and its first arguments. */
export type Entry = { readonly file: string; readonly args: readonly string[] };

/** What starts `dogwatch`, before its own arguments. */
export function entry(): Entry {
  const here = import.meta.url;
  const tree = /\/cli\/sim\/entry\.(ts|js)$/.exec(here);
  const main = fileURLToPath(tree === null ? here : new URL(`../main.${tree[1]}`, here));
  return { file: process.execPath, args: [...nodeFlags(main.endsWith(".ts")), main] };
}

/** Flags of the test runner, of the inspector and of `--eval` are this process's own. */
function nodeFlags(needsLoader: boolean): string[] {
  const given = process.execArgv;
  const kept: string[] = [];
  for (let i = 0; i < given.length; i += 1) {
    const flag = given[i] as string;
    if (flag === "--import" || flag === "--require" || flag === "-r") {
      kept.push(flag, given[i += 1] ?? "");
    } else if (!/^--(test|inspect|experimental-test|input-type|watch)|^-[ep]$/.test(flag)) {
      if (flag.startsWith("--")) kept.push(flag);
    }
  }
  if (needsLoader && !kept.some((flag) => flag.includes("tsx"))) kept.push("--import", "tsx");
  return kept;
}

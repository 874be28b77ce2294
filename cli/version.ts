/**
 * Which Dogwatch this is. The same file serves the sources, the compiled tree and the bundle: the
 * package's own description is somewhere above each of them.
 * @module
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const levelsMax = 4;

/** The version in package.json, or "unknown" when the file was moved away from its package. */
export function version(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < levelsMax; level += 1) {
    const found = versionIn(folder);
    if (found !== undefined) return found;
    folder = dirname(folder);
  }
  return "unknown";
}

function versionIn(folder: string): string | undefined {
  try {
    const about: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { name, version: found } = about as { name?: unknown; version?: unknown };
    return name === "dogwatch" && typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}

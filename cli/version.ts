/**
 * Which Dogwatch this is. The build writes the version into the bundle, which may be moved
 * anywhere; for the sources and the compiled tree, the package's own description lies above.
 * @module
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Put in place of the name by the build of the bundle; elsewhere there is no such name. */
declare const bundledVersion: string | undefined;

const levelsMax = 4;

/** The bundle's version, else that of the package around this file, else "unknown". */
export function version(): string {
  return typeof bundledVersion === "string" ? bundledVersion : versionAround();
}

function versionAround(): string {
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

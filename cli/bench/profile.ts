/**
 * Where a server's time went: self time per function, from a V8 CPU profile.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Frame = {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
};

type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const shownMax = 15;

/**
 * The busiest functions of the newest profile in `folder`, one line each; idle time is left out.
 */
export function busiest(folder: string): readonly string[] {
  const file = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile")).sort().at(-1);
  if (file === undefined) return ["no profile was written"];
  const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node.callFrame)]));
  const selfUs = new Map<string, number>();
  profile.samples.forEach((id, i) => {
    const name = names.get(id) ?? "?";
    selfUs.set(name, (selfUs.get(name) ?? 0) + (profile.timeDeltas[i] ?? 0));
  });
  selfUs.delete("(idle)");
  const all = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  return [...selfUs]
    .toSorted(([a, aUs], [b, bUs]) => bUs - aUs || (a < b ? -1 : 1))
    .slice(0, shownMax)
    .map(([name, us]) => `${((us / all) * 100).toFixed(1).padStart(5)} %  ${name}`);
}

function nameOf(frame: Frame): string {
  const place = frame.url === "" ? "" : ` ${frame.url.split("/").at(-1)}:${frame.lineNumber + 1}`;
  return `${frame.functionName || "(anonymous)"}${place}`;
}

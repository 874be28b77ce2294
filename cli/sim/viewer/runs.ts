/**
 * The runs of a page: read from the file, made again where they can be.
 * @module
 */
import type { PageData, PageRun } from "../../../sim/picture/page.ts";
import { rerun, written, type Source } from "../../../sim/picture/source.ts";
import { record } from "../../../sim/record.ts";
import { advance, begin } from "../../../sim/runner.ts";

/** The data block of the page, unpacked if it is packed. */
export async function read(): Promise<PageData> {
  const block = document.getElementById("data");
  const text = block?.textContent ?? "";
  if (block?.getAttribute("type") !== "application/gzip") return JSON.parse(text) as PageData;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(unpacked).text()) as PageData;
}

/** A run and its states; a scenario is run here and now. */
export function sourceOf(run: PageRun): Source {
  if ("recording" in run) return written(run.recording, run.states);
  const { scenario } = run;
  return rerun(record(scenario), (stepped) => {
    const again = begin(scenario, {
      watch: { stepped: (w, node) => stepped(w.steps - 1, node.index) },
    });
    return {
      steps: () => again.world.steps, advance: () => advance(again),
      state: (node) => again.world.nodes[node]?.kernel?.state,
    };
  });
}

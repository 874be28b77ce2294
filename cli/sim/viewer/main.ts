/**
 * The script of a picture's page: reads the runs that are in the file and shows them.
 * @module
 */
import type { PageRun } from "../../../sim/picture/page.ts";
import * as app from "./app.ts";
import { el } from "./dom.ts";
import * as runs from "./runs.ts";

async function main(): Promise<void> {
  const place = document.getElementById("app");
  if (place === null) return;
  try {
    const data = await runs.read();
    place.append(el("p", { role: "status", class: "about" }, "Running the scenario …"));
    await painted();
    app.start(place, data, (index) => runs.sourceOf(data.runs[index] as PageRun));
  } catch (error) {
    place.append(el("p", { role: "alert" }, `This picture cannot be shown: ${String(error)}`));
  }
}

/** Until what was written so far can be seen. */
function painted(): Promise<void> {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}

void main();

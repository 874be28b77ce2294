/**
 * The keys, told in a dialog.
 * @module
 */
import { button, el } from "./dom.ts";

const keys: readonly (readonly [string, string])[] = [
  ["← →", "previous, next event of the picture"], ["PgUp PgDn", "ten events"],
  ["Home End", "first, last event"],
  ["j k", "next, previous step of the same node, also those left out"],
  ["v", "to the violation"], ["c", "the run that passes, beside this one"],
  ["/ n N", "search; next, previous hit"], ["?", "this"],
];

export function dialog(): HTMLDialogElement {
  const made = el("dialog", { "aria-label": "Keys" });
  const rows = keys.flatMap(([key, says]) => [
    el("dt", {}, ...key.split(" ").map((one) => el("kbd", {}, one))), el("dd", {}, says),
  ]);
  made.append(el("h2", {}, "Keys"), el("dl", {}, ...rows),
    el("p", { class: "none" }, "A click on any event goes there. Time runs down; gaps are folded."),
    el("p", {}, button("Close", undefined, () => made.close())));
  return made;
}

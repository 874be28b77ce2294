/**
 * One page with a state diagram for each machine of the core that keeps its phases in a table.
 *
 * Rule 1: a page is made from the table alone; nobody edits it.
 * Rule 2: `core/a/b.ts` has its page in `docs/phases/a-b.md`.
 * @module
 */
import assert from "node:assert/strict";
import { mermaid, type Transition } from "../../core/kernel/phases.ts";
import { sources, text } from "./files.ts";
import { load } from "./modules.ts";

type Table = readonly Transition<string>[];

/** Every page under `docs/phases`, by path. */
export async function pages(root: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const file of sources(root, ["core"])) {
    if (!/^export const transitions\b/m.test(text(root, file))) continue;
    const name = file.slice("core/".length, -".ts".length).replaceAll("/", "-");
    all.set(`docs/phases/${name}.md`, page(file, name, tableOf((await load(file))["transitions"])));
  }
  return all;
}

function page(file: string, name: string, table: Table): string {
  return [
    `# Phases of ${name}`,
    "",
    `Made from the table in \`${file}\` by \`REWRITE=1 npm test\`; do not edit.`,
    "",
    "```mermaid",
    mermaid(name, table).trimEnd(),
    "```",
    "",
    "| from | on | to | note |",
    "| --- | --- | --- | --- |",
    ...table.map((t) => `| ${t.from === "*" ? "any" : t.from} | ${t.on} | ${t.to} | ${t.note} |`),
    "",
  ].join("\n");
}

function tableOf(value: unknown): Table {
  assert.ok(Array.isArray(value) && value.length > 0, "transitions is an empty table");
  for (const row of value as Table) {
    for (const field of [row.from, row.on, row.to, row.note]) {
      assert.equal(typeof field, "string");
      assert.doesNotMatch(field, /[|\n]/, "a field of the table breaks its page");
    }
    assert.doesNotMatch(row.on, /[:;#]/, "Mermaid ends a label there");
  }
  return value as Table;
}

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { shrink } from "../../cli/ark-journal.ts";
import { defaults } from "../../core/ark/config.ts";
import * as ledger from "../../core/ark/ledger.ts";
import { concat } from "../../core/bytes.ts";
import * as record from "../../core/history/record.ts";
import { folder } from "./capture.ts";

const temp = folder();
after(() => temp.remove());
const path = join(temp.path, "ark.journal");

function tips(count: number): Uint8Array {
  return concat([record.header, ...Array.from({ length: count }, (_, i) => record.encode(
    i + 1, i, ledger.bodyOf("a", `{"type":"ark-tip","height":${i},"at":${i}}`),
  ))]);
}

async function said(minBytes?: number): Promise<readonly string[]> {
  const codes: string[] = [];
  await shrink(path, defaults, { log: (_, code) => void codes.push(code) }, minBytes);
  return codes;
}

test("ark journal: it is made smaller where that is worth it, and only there", async () => {
  assert.deepEqual(await said(), [], "there is none yet");
  fs.writeFileSync(path, tips(1_000));
  assert.deepEqual(await said(), [], "too small to matter");
  assert.deepEqual(await said(1), ["run.journal-smaller"]);
  const scan = record.scan(fs.readFileSync(path), defaults.journal.tornBytesMax);
  assert.ok(scan.ok && scan.value.count === 1);
  assert.deepEqual(await said(1), [], "nothing is left to drop");
});

test("ark journal: what cannot be replaced is said, and stays as it was", async () => {
  fs.writeFileSync(path, tips(1_000));
  fs.mkdirSync(`${path}.new`);
  assert.deepEqual(await said(1), ["run.journal-kept"]);
  assert.ok(fs.readFileSync(path).equals(tips(1_000)));
  fs.rmSync(path);
  fs.mkdirSync(path);
  assert.deepEqual(await said(1), [], "the journal says what is wrong with it");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { aims, type Edit, type Mutant, mutants } from "../../sim/mutants.ts";
import { compiled, grammarFault } from "../support/compiled.ts";

const texts = new Map<string, string>();

function textOf(file: string): string {
  const known = texts.get(file) ?? compiled(file);
  texts.set(file, known);
  return known;
}

function editsOf(mutant: Mutant): readonly Edit[] {
  return mutant.and === undefined ? [mutant] : [mutant, mutant.and];
}

test("mutants: each patch fits exactly once and leaves valid code", () => {
  for (const mutant of mutants) {
    for (const { file, find, replace } of editsOf(mutant)) {
      const pieces = textOf(file).split(find);
      assert.equal(pieces.length, 2, `${mutant.id} fits ${pieces.length - 1} times in ${file}`);
      assert.notEqual(find, replace, mutant.id);
      assert.equal(grammarFault(pieces.join(replace)), undefined, mutant.id);
    }
  }
});

test("mutants: there is a bug for every promise and for every fault that others had", () => {
  assert.ok(mutants.length >= 48);
  const aimed = new Set(mutants.map((mutant) => mutant.aims));
  assert.deepEqual(aims.filter((aim) => !aimed.has(aim)), []);
});

test("mutants: names are unique, and say what the bug is in one line", () => {
  assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
  for (const { id, says, file } of mutants) {
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.match(says, /^[^\n|]{10,100}$/);
    assert.match(file, /^core\/.+\.js$/);
  }
});

test("mutants: no two are the same patch", () => {
  const patches = mutants.map(({ file, find, replace }) => `${file}\n${find}\n${replace}`);
  assert.equal(new Set(patches).size, patches.length);
});

/**
 * The simulator where the language is all there is: bundled, and run in a context without clock, timers, randomness
 * and code from strings. The digests have to be those of the program.
 *
 * `node .ci/context.mjs FIRST_SEED COUNT`, in a built clone.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import vm from "node:vm";
import esbuild from "esbuild";

const [first = "0", count = "20"] = process.argv.slice(2);
const built = await esbuild.build({
  stdin: {
    contents: `export { run } from "./dist/lib/sim/runner.js"; export { generate } from "./dist/lib/sim/generate.js";`,
    resolveDir: process.cwd(),
  },
  bundle: true, platform: "neutral", format: "iife", globalName: "simulator", target: "es2023", write: false,
  logLevel: "error",
});

// Looked up through the context's global object, intrinsics cost much; as parameters of one function they are free.
const names = [
  "Array", "BigInt", "Boolean", "DataView", "Error", "Int32Array", "JSON", "Map", "Math", "Number", "Object", "Set",
  "String", "Symbol", "Uint8Array", "Uint16Array", "Uint32Array", "Float64Array", "ArrayBuffer", "RegExp", "Proxy",
  "Reflect", "WeakMap", "WeakSet", "parseInt", "isNaN",
];
const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
vm.runInContext("delete globalThis.Date; delete Math.random; delete globalThis.Intl; delete globalThis.WeakRef;", context);
const code = `(function (${names.join(", ")}) { ${built.outputFiles[0].text}; return simulator; })(${names.join(", ")})`;
const simulator = vm.runInContext(code, context);

for (let i = 0n; i < BigInt(count); i += 1n) {
  const seed = `0x${(BigInt(first) + i).toString(16).padStart(16, "0")}`;
  const outcome = simulator.run(simulator.generate("smoke", seed));
  const ran = spawnSync(process.execPath, [
    "dist/dogwatch.js", "sim", "run", seed, "--profile", "smoke", "--format", "json", "--no-shrink", "-q",
  ], { encoding: "utf8", maxBuffer: 1 << 28 });
  assert.notEqual(ran.stdout, "", ran.stderr);
  assert.equal(outcome.digest, JSON.parse(ran.stdout).outcome.digest, seed);
}
console.error(`${count} seeds in a context of their own: the same digests`);

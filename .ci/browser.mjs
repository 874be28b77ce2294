/**
 * The library asks nothing of a host: every public module but package.json is bundled for a browser and run in a
 * context that has the language and nothing else.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import vm from "node:vm";
import esbuild from "esbuild";

const { name, exports } = JSON.parse(readFileSync("package.json", "utf8"));
const subpaths = Object.keys(exports).filter((path) => path !== "./package.json");

const entry = subpaths
  .map((path) => `export * as ${identifier(path)} from "${name}/${path.slice(2)}";`)
  .join("\n");
const built = await esbuild.build({
  stdin: { contents: entry, resolveDir: process.cwd() },
  bundle: true, platform: "browser", format: "iife", globalName: "library",
  target: "es2023", metafile: true, write: false, logLevel: "error",
});

const inputs = Object.entries(built.metafile.inputs);
const imported = inputs.flatMap(([, input]) => input.imports.map((i) => i.path));
assert.deepEqual(imported.filter((path) => path.startsWith("node:") || builtinModules.includes(path)), []);
const foreign = inputs.map(([file]) => file).filter((file) => !/^(<stdin>|dist\/lib\/core\/)/.test(file));
assert.deepEqual(foreign, [], "only our core is in the bundle");

const library = run(built.outputFiles[0].text);
assert.equal(Object.keys(library).length, subpaths.length);
useWire(library);
useDirectory(library);
console.log(`${subpaths.length} modules, ${built.outputFiles[0].text.length} bytes: language only`);

function identifier(path) {
  return path.slice(2).replaceAll(/[^a-z]/g, "_");
}

/** Runs the bundle where even the clock and the generator of the language are gone. */
function run(code) {
  const context = vm.createContext(Object.create(null), {
    codeGeneration: { strings: false, wasm: false },
  });
  const hide = ["console", "WebAssembly", "Date", "Intl", "SharedArrayBuffer", "Atomics"];
  vm.runInContext(`for (const n of ${JSON.stringify(hide)}) delete globalThis[n];`, context);
  vm.runInContext("delete Math.random; delete globalThis.Promise;", context);
  return vm.runInContext(`${code}\nlibrary`, context, { timeout: 10_000 });
}

/** One line there and back. */
function useWire({ bytes, joinmarket_envelope: envelope, joinmarket_lines: lines }) {
  const line = "J5Ckon1LuuapPSBM!PUBLIC!orderbook";
  const sent = bytes.concat([envelope.encode(envelope.types.PUBMSG, line), bytes.ascii("\r\n")]);
  const frames = [];
  const ended = sent.subarray(0, sent.indexOf(10) + 1);
  assert.ok(lines.feed(lines.create(), ended, envelope.lineBytesMax, frames));
  assert.equal(frames.length, 1);
  const scanned = envelope.create();
  assert.equal(envelope.scan(frames[0], scanned), undefined);
  assert.equal(envelope.content(frames[0], scanned), line);
}

/** A directory node that starts, takes a connection and asks its host to be woken. */
function useDirectory({ kernel, directory, directory_config: config, time }) {
  const zeros = () => new Uint8Array(32);
  const root = directory.root({ sha256: zeros, sha3: zeros, verifyEcdsa: () => false });
  const at = time.mono(0);
  const node = kernel.create(root, directory.create(config.defaults, at), at, true);
  kernel.step(node, { type: "operator.started" }, at);
  const effects = kernel.step(node, { type: "conn.opened", conn: 1 }, time.mono(1));
  assert.ok(effects.some((effect) => effect.type === "wake"));
}

/**
 * The library without a build and without a type check, file by file.
 * @module
 */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Also when the tests themselves run compiled, from `build`. */
const sources = fs.existsSync(join(root, "core/assert.ts")) ? root : join(root, "..");

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true,
  isolatedModules: true, rewriteRelativeImportExtensions: true,
};

/**
 * One file to the letter as `npm run build:lib` writes it; `file` is named as in the library
 * (`core/outbox.js`).
 */
export function compiled(file: string): string {
  return ts.transpileModule(sourceOf(file), { compilerOptions: options }).outputText;
}

function sourceOf(file: string): string {
  return fs.readFileSync(join(sources, file.replace(/\.js$/, ".ts")), "utf8");
}

/** All of `core` and `sim` below `into`: it does the same, but is written otherwise. */
export function compileLibrary(into: string): void {
  for (const part of ["core", "sim"]) compileFolder(part, into);
  fs.writeFileSync(join(into, "package.json"), `{ "type": "module" }\n`);
}

function compileFolder(folder: string, into: string): void {
  for (const entry of fs.readdirSync(join(sources, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) compileFolder(path, into);
    else if (entry.name.endsWith(".ts")) {
      const file = path.replace(/\.ts$/, ".js");
      fs.mkdirSync(dirname(join(into, file)), { recursive: true });
      fs.writeFileSync(join(into, file), quickly(file));
    }
  }
}

function quickly(file: string): string {
  const { code } = transformSync(sourceOf(file), {
    loader: "ts", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  return code.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"');
}

/** What is wrong with the grammar of some JavaScript, if anything. */
export function grammarFault(text: string): string | undefined {
  try {
    transformSync(text, { loader: "js", logLevel: "silent" });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

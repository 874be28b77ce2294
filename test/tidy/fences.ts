/**
 * The fence that neither the compiler nor the linter can be: a walk over the syntax of every source
 * file.
 *
 * Rule 1: core and sim hold no `for..in`, module-level `let`, class, foreign throw, bare sort,
 * promise or fraction.
 * Rule 2: adapters and cli read a clock, set a timer or draw chance in `adapters/ambient.ts` and
 * nowhere else; benchmarks may read clocks.
 * Not known here: types. Names are judged as they are spelled.
 * @module
 */
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { sources, text } from "./files.ts";

/** One leak: where it is, which rule it breaks. */
export type Leak = { readonly file: string; readonly line: number; readonly rule: string };

type Say = (node: ts.Node, rule: string) => void;

const ambientNames = new Set([
  "Date", "performance", "setTimeout", "setInterval", "setImmediate", "hrtime", "uptime",
  "randomBytes", "randomInt", "randomUUID", "randomFill", "randomFillSync", "getRandomValues",
]);
const ambientModules = /^(node:)?(timers|perf_hooks)(\/|$)/;
const ambientFiles = /^(adapters\/ambient\.ts$|cli\/bench\/)/;

/** Every leak under `root`, in file order. */
export function leaks(root: string): Leak[] {
  const found: Leak[] = [];
  for (const file of sources(root, ["core", "sim"])) walk(root, file, found, pure);
  for (const file of sources(root, ["adapters", "cli"])) {
    if (!ambientFiles.test(file)) walk(root, file, found, ambient);
  }
  return found;
}

type Rules = (node: ts.Node, say: Say) => void;

function walk(root: string, file: string, found: Leak[], rules: Rules): void {
  const source = parse(root, file);
  const say: Say = (node, rule) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push({ file, line: line + 1, rule });
  };
  const visit = (node: ts.Node): void => {
    rules(node, say);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/** One file as a syntax tree with parent links. */
export function parse(root: string, file: string): ts.SourceFile {
  return ts.createSourceFile(file, text(root, file), ts.ScriptTarget.ES2023, true);
}

function pure(node: ts.Node, say: Say): void {
  if (ts.isForInStatement(node)) say(node, "for..in");
  if (ts.isVariableStatement(node) && isModuleVariable(node)) say(node, "module-level let");
  if (ts.isClassLike(node) && !isInvariantError(node)) say(node, "class");
  if (ts.isThrowStatement(node) && !throwsInvariant(node)) say(node, "throw");
  if (ts.isCallExpression(node)) call(node, say);
  if (ts.isAwaitExpression(node) || isForAwait(node)) say(node, "await");
  if (ts.isFunctionLike(node) && isAsync(node)) say(node, "async");
  if (ts.isIdentifier(node) && /^Promise(Like)?$/.test(node.text)) say(node, "Promise");
  if (ts.isNumericLiteral(node) && node.getText().includes(".")) say(node, "fraction");
  const specifier = specifierOf(node);
  if (specifier !== undefined && !specifier.startsWith(".")) say(node, "import");
}

function isModuleVariable(node: ts.VariableStatement): boolean {
  const constant = (node.declarationList.flags & ts.NodeFlags.Const) !== 0;
  const declared = node.modifiers?.some((m) => m.kind === ts.SyntaxKind.DeclareKeyword) ?? false;
  return ts.isSourceFile(node.parent) && !constant && !declared;
}

function isInvariantError(node: ts.ClassLikeDeclaration): boolean {
  return node.name?.text === "InvariantError" && node.getSourceFile().fileName === "core/assert.ts";
}

function throwsInvariant(node: ts.ThrowStatement): boolean {
  const thrown = node.expression;
  return ts.isNewExpression(thrown) && thrown.expression.getText() === "InvariantError";
}

function call(node: ts.CallExpression, say: Say): void {
  if (node.expression.kind === ts.SyntaxKind.ImportKeyword) say(node, "dynamic import");
  if (!ts.isPropertyAccessExpression(node.expression) || node.arguments.length > 0) return;
  if (/^(sort|toSorted)$/.test(node.expression.name.text)) say(node, "bare sort");
}

function isForAwait(node: ts.Node): boolean {
  return ts.isForOfStatement(node) && node.awaitModifier !== undefined;
}

function isAsync(node: ts.SignatureDeclaration): boolean {
  return ts.canHaveModifiers(node)
    && (ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword) ?? false);
}

/** What a module names in an import, an export or an import type. */
export function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const from = node.moduleSpecifier;
    return from !== undefined && ts.isStringLiteral(from) ? from.text : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const from = node.argument.literal;
    return ts.isStringLiteral(from) ? from.text : undefined;
  }
  return undefined;
}

function ambient(node: ts.Node, say: Say): void {
  if (ts.isIdentifier(node) && ambientNames.has(node.text) && isUse(node)) say(node, node.text);
  if (ts.isPropertyAccessExpression(node) && isAmbientProperty(node.getText())) {
    say(node, node.getText());
  }
  if (ambientModules.test(specifierOf(node) ?? "")) say(node, "import of clocks or timers");
}

function isAmbientProperty(path: string): boolean {
  return path === "Math.random" || path === "AbortSignal.timeout";
}

/** Is this identifier a value that is read, rather than a type or a declared name? */
function isUse(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent)) return false;
  if (isInstanceCheck(parent)) return parent.right !== node;
  if (ts.isPropertyAssignment(parent) || ts.isTypeElement(parent)) return parent.name !== node;
  return true;
}

function isInstanceCheck(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node)
    && node.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;
}

function main(): void {
  const found = leaks(process.cwd());
  for (const { file, line, rule } of found) process.stderr.write(`${file}:${line}: ${rule}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? "")).href) main();

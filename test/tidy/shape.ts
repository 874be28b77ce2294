/**
 * What the syntax tree says about a file's shape: how long its functions are, whether it has any,
 * what it imports.
 * @module
 */
import * as path from "node:path";
import ts from "typescript";
import { parse, specifierOf } from "./fences.ts";

/** A function and the lines it spans, without its doc comment. */
export type Span = { readonly name: string; readonly line: number; readonly lines: number };

/** Every function, method and closure of a file. */
export function functions(root: string, file: string): Span[] {
  const source = parse(root, file);
  const spans: Span[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      spans.push(spanOf(source, node));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return spans;
}

function spanOf(source: ts.SourceFile, node: ts.SignatureDeclaration): Span {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
  const name = node.name?.getText(source) ?? "closure";
  return { name, line: first + 1, lines: last - first + 1 };
}

/** Does nothing of this file remain once types are erased? */
export function isTypesOnly(root: string, file: string): boolean {
  return parse(root, file).statements.every((s) => {
    if (ts.isInterfaceDeclaration(s) || ts.isTypeAliasDeclaration(s)) return true;
    if (ts.isVariableStatement(s)) {
      return s.modifiers?.some((m) => m.kind === ts.SyntaxKind.DeclareKeyword) ?? false;
    }
    if (ts.isImportDeclaration(s)) return isTypeImport(s);
    return ts.isExportDeclaration(s) && s.isTypeOnly;
  });
}

function isTypeImport(node: ts.ImportDeclaration): boolean {
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

/** The files of the repository that a file imports, types included. */
export function imports(root: string, file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const from = specifierOf(node) ?? dynamicOf(node);
    if (from?.startsWith(".") === true) found.push(path.posix.join(path.posix.dirname(file), from));
    ts.forEachChild(node, visit);
  };
  visit(parse(root, file));
  return found;
}

function dynamicOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  if (node.expression.kind !== ts.SyntaxKind.ImportKeyword) return undefined;
  const from = node.arguments[0];
  return from !== undefined && ts.isStringLiteral(from) ? from.text : undefined;
}

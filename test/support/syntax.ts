import { parseSync } from "vite";
import type { SourceFile } from "./source-files.ts";

/** A node of the syntax tree, as far as these checks look into it. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

/** Every node of a file's syntax tree, outer ones first. Throws when the file does not parse. */
export function* nodesOf(file: SourceFile): Generator<SyntaxNode> {
  const { program, errors } = parseSync(file.path, file.text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file.path} does not parse: ${error.message}`);
  const open: unknown[] = [program];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) open.push(...value.toReversed());
    if (!isNode(value)) continue;
    yield value;
    open.push(...Object.values(value).toReversed());
  }
}

/** The text of a string literal, or undefined for anything else. */
export function literalText(value: unknown): string | undefined {
  const text = isNode(value) && value.type === "Literal" ? value["value"] : undefined;
  return typeof text === "string" ? text : undefined;
}

/** The name of an identifier, or undefined for anything else. */
export function identifierName(value: unknown): string | undefined {
  const name = isNode(value) && value.type === "Identifier" ? value["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

/** One import: its specifier (undefined when it is computed at run time) and whether only types come through it. */
export interface ImportSite {
  readonly specifier: string | undefined;
  readonly typesOnly: boolean;
}

function bindingsAreTypes(node: SyntaxNode): boolean {
  if (node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const bindings = Array.isArray(node["specifiers"]) ? node["specifiers"].filter(isNode) : [];
  return bindings.length > 0 && bindings.every((each) => each["importKind"] === "type" || each["exportKind"] === "type");
}

/** Everything that a file imports or re-exports from elsewhere, static, dynamic or as a type. */
export function importsOf(file: SourceFile): ImportSite[] {
  const sites: ImportSite[] = [];
  for (const node of nodesOf(file)) {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration":
        if (isNode(node["source"])) sites.push({ specifier: literalText(node["source"]), typesOnly: bindingsAreTypes(node) });
        break;
      case "ImportExpression":
        sites.push({ specifier: literalText(node["source"]), typesOnly: false });
        break;
      case "TSImportType":
        sites.push({ specifier: literalText(node["source"]), typesOnly: true });
        break;
    }
  }
  return sites;
}

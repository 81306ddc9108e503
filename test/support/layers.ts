import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";
import { identifierName, importsOf, literalText, nodesOf, type SyntaxNode } from "./syntax.ts";

/** What one layer may import besides itself and Node's own modules. */
export interface LayerRule {
  /** Layers of ours (folders, or single files without their ending); `types:` in front allows types only. */
  readonly ours: readonly string[];
  /** Packages from outside. */
  readonly packages: readonly string[];
}

const rule = (ours: string, packages = ""): LayerRule => ({ ours: words(ours), packages: words(packages) });
const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");

/** What may import everything of ours: here the parts are put together. */
const EVERYTHING = "*";

/**
 * The import table. A span goes base → otlp → processors → dialects → rows → exporters, and a step knows only the steps before it;
 * what a step needs from a later one comes in as a function.
 */
export const LAYERS: Readonly<Record<string, LayerRule>> = {
  sdk: rule("", "@opentelemetry/*"),
  schema: rule("schema/driver", "postgres"),
  "schema/driver": rule("", "postgres"),
  "collector/base": rule("", "pino prom-client"),
  "collector/config": rule("collector/base collector/model", "re2js yaml zod"),
  "collector/otlp": rule("collector/base"),
  "collector/model": rule("collector/base sdk/runs/run-summary", "diff"),
  "collector/embedded": rule("collector/base schema/driver", "postgres"),
  "collector/dialects": rule("collector/base collector/otlp collector/model sdk/attributes"),
  "collector/rows": rule("collector/base collector/otlp collector/model collector/dialects sdk/attributes"),
  "collector/processors": rule("collector/base collector/otlp", "re2js"),
  "collector/exporters": rule("collector/base collector/otlp collector/rows", "postgres pg @grpc/grpc-js"),
  "collector/pipeline": rule(
    "collector/base collector/model collector/otlp collector/dialects collector/rows collector/processors collector/exporters",
  ),
  "collector/refinement": rule(
    "collector/base collector/dialects collector/rows sdk/attributes sdk/items/problem-trace collector/commands/usage-marks collector/model",
    "postgres",
  ),
  "collector/quality": rule("collector/base", "re2js"),
  "collector/query": rule(
    "collector/base collector/model collector/quality types:collector/rows collector/rows/content-moved schema/driver",
    "postgres zod",
  ),
  "collector/commands": rule("collector/base collector/model collector/quality types:collector/rows", "postgres"),
  "collector/alerts": rule("collector/base collector/query collector/commands", "zod nodemailer postgres"),
  "collector/live": rule("collector/base collector/query", "zod postgres"),
  "collector/jobs": rule("collector/alerts collector/base collector/model collector/quality collector/query collector/commands schema"),
  "collector/receivers": rule("collector/base collector/otlp", "hono @hono/node-server @grpc/grpc-js"),
  "collector/api": rule(
    "collector/alerts collector/live collector/base collector/model collector/quality collector/otlp collector/query collector/commands collector/dialects",
    "hono zod @hono/zod-openapi",
  ),
  "dashboards/web": rule(
    "collector/base collector/model collector/otlp collector/query collector/commands collector/dialects",
    "hono zod @hono/zod-openapi",
  ),
  "collector/protocols": rule("collector/base collector/otlp collector/query", "hono @grpc/grpc-js"),
  "collector/cli": rule("collector/base", "commander"),
  "collector/demo": rule("collector/base sdk"),
  "collector/doctor": rule("collector/base collector/cli collector/query", "@grpc/grpc-js"),
  "collector/actions": rule(EVERYTHING),
  "collector/app": rule(EVERYTHING),
  "collector/main": rule(EVERYTHING),
};

const withoutEnding = (path: string): string => path.replace(/\.[a-z]+$/, "");

/** The layer a file belongs to: the longest name in the table that is the file itself or a folder above it. */
export function layerOf(path: string, layers: Readonly<Record<string, LayerRule>> = LAYERS): string | undefined {
  const names = Object.keys(layers).filter((name) => withoutEnding(path) === name || path.startsWith(`${name}/`));
  return names.toSorted((a, b) => b.length - a.length)[0];
}

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

const allowsPackage = (allowed: readonly string[], name: string): boolean =>
  allowed.some((each) => each === name || (each.endsWith("/*") && name.startsWith(each.slice(0, -1))));

function allowsOurs(layer: string, target: string, typesOnly: boolean): boolean {
  const { ours } = LAYERS[layer] ?? rule("");
  const covers = (name: string): boolean => withoutEnding(target) === name || target.startsWith(`${name}/`);
  if (ours.includes(EVERYTHING) || layerOf(target) === layer) return true;
  return ours.some((name) => covers(name) || (typesOnly && name.startsWith("types:") && covers(name.slice("types:".length))));
}

/** The imports of `file` that the table forbids, one sentence each. A file outside every layer is one too. */
export function forbiddenImports(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  if (layer === undefined) return [`${file.path} belongs to no layer of the import table`];
  const found: string[] = [];
  for (const { specifier, typesOnly } of importsOf(file)) {
    if (specifier === undefined) found.push(`${file.path} imports a path computed at run time`);
    else if (specifier.startsWith(".")) {
      const target = posix.join(posix.dirname(file.path), specifier);
      if (!allowsOurs(layer, target, typesOnly)) found.push(`${file.path} imports ${target}, which ${layer} may not`);
    } else if (!specifier.startsWith("node:") && !allowsPackage(LAYERS[layer]?.packages ?? [], packageOf(specifier))) {
      found.push(`${file.path} imports the package ${specifier}, which ${layer} may not`);
    }
  }
  return found;
}

/** What belongs to the program as a whole: how it was called, its surroundings, its signals, its end. */
const ONLY_MAIN = new Set(
  "abort addListener argv argv0 chdir env exit exitCode off on once prependListener reallyExit removeListener umask".split(" "),
);

const isProcess = (value: unknown): boolean =>
  identifierName(value) === "process" || identifierName((value as SyntaxNode | null)?.["property"]) === "process";

/** Where `file` reads or changes what only main.ts may, one sentence each. */
export function processAccesses(file: SourceFile): string[] {
  const found: string[] = [];
  for (const node of nodesOf(file)) {
    if (node.type === "MemberExpression" && isProcess(node["object"])) {
      const name = (node["computed"] === true ? literalText : identifierName)(node["property"]) ?? "a computed property";
      if (ONLY_MAIN.has(name) || name === "a computed property") found.push(`${file.path} uses process.${name}`);
    }
    if (node.type === "VariableDeclarator" && isProcess(node["init"])) found.push(`${file.path} takes process apart`);
    if (node.type === "ImportDeclaration" && /^(node:)?process$/.test(literalText(node["source"]) ?? "")) {
      found.push(`${file.path} imports node:process`);
    }
  }
  return found;
}

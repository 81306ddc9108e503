import { parseDocument } from "yaml";

export type Tree = Readonly<Record<string, unknown>>;

/** A map of YAML, and nothing that has a class of its own. */
export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

/** The value of one YAML document (core schema, `<<` merges, a repeated key is a fault), or what is wrong with it. */
export function parseYaml(text: string): { readonly value: unknown } | { readonly faults: readonly string[] } {
  const document = parseDocument(text, { schema: "core", merge: true, uniqueKeys: true, logLevel: "error" });
  const faults = [...document.errors, ...document.warnings].map(({ code, message }) =>
    code === "MULTIPLE_DOCS" ? "a file holds one document" : withoutContent(message),
  );
  if (faults.length > 0) return { faults };
  try {
    return { value: document.toJS() as unknown };
  } catch (error) {
    // Aliases that lead nowhere, or that would unfold without end.
    return { faults: [error instanceof Error ? withoutContent(error.message) : "it cannot be read"] };
  }
}

/** The first line of a parser's message without what it quotes: the file may hold secrets. */
const withoutContent = (message: string): string =>
  (message.split("\n")[0] ?? "").replace(/: "?[^:]*"? (?=at line \d+, column \d+:?$)/, " ").replace(/:$/, "");

/** Reads the files into one tree: maps merge, lists and scalars replace, null wipes. */
export function mergeFiles(files: readonly ConfigFile[], problems: string[]): Tree {
  let merged: Tree = {};
  for (const { name, text } of files) {
    const parsed = parseYaml(text);
    if ("faults" in parsed) problems.push(...parsed.faults.map((fault) => `cannot unmarshal ${name}: ${fault}`));
    else if (isTree(parsed.value)) merged = mergeTrees(merged, parsed.value);
    else if (parsed.value !== null && parsed.value !== undefined) {
      problems.push(`${name} must be a map of receivers, processors, exporters, extensions and service`);
    }
  }
  return merged;
}

function mergeTrees(base: Tree, over: Tree): Tree {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const known = merged.get(key);
    merged.set(key, isTree(known) && isTree(value) ? mergeTrees(known, value) : value);
  }
  return Object.fromEntries(merged);
}

/** `--set a.b.c=v`: dots separate keys, the value is YAML. Faults name the key and never the value. */
export function applySets(tree: Tree, sets: readonly string[], problems: string[]): Tree {
  return sets.reduce((current, set) => {
    const equals = set.indexOf("=");
    const keys = set.slice(0, equals).split(".");
    if (equals < 0 || keys.includes("")) {
      problems.push("--set wants key=value, such as exporters.debug.verbosity=normal");
      return current;
    }
    const parsed = parseYaml(set.slice(equals + 1));
    if ("faults" in parsed) {
      problems.push(...parsed.faults.map((fault) => `--set ${keys.join(".")}: ${fault}`));
      return current;
    }
    return mergeTrees(current, keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), parsed.value) as Tree);
  }, tree);
}

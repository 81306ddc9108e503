import { parseDocument } from "yaml";

type Tree = Record<string, unknown>;

export const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

/** Reads YAML (core schema; a repeated key is a fault) into one tree: maps merge, lists and scalars replace, null wipes. */
export function mergeFiles(files: readonly ConfigFile[], problems: string[]): Tree {
  let merged: Tree = {};
  for (const file of files) {
    const document = parseDocument(file.text, { schema: "core", uniqueKeys: true });
    for (const error of document.errors)
      problems.push(`failed to get config: cannot unmarshal ${file.name}: ${error.message.split("\n")[0]}`);
    if (document.errors.length > 0) continue;
    const tree = document.toJS() as unknown;
    if (tree === null || tree === undefined) continue;
    if (isTree(tree)) merged = mergeTrees(merged, tree);
    else problems.push(`failed to get config: ${file.name} must be a map of receivers, processors, exporters, extensions and service`);
  }
  return merged;
}

function mergeTrees(base: Tree, over: Tree): Tree {
  const result: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const known = result[key];
    result[key] = isTree(known) && isTree(value) ? mergeTrees(known, value) : value;
  }
  return result;
}

/** `--set a.b.c=v`: the value is YAML; dots separate keys. */
export function applySets(tree: Tree, sets: readonly string[], problems: string[]): Tree {
  return sets.reduce((current, set) => {
    const equals = set.indexOf("=");
    if (equals <= 0) {
      problems.push(`failed to get config: --set wants key=value, got "${set}"`);
      return current;
    }
    const path = set.slice(0, equals).split(".");
    const value = parseDocument(set.slice(equals + 1), { schema: "core" }).toJS() as unknown;
    return mergeTrees(current, path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Tree);
  }, tree);
}

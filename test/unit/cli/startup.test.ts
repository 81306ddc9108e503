import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { literalText, nodesOf, type SyntaxNode } from "../../support/syntax.ts";

const ROOT = posix.join(import.meta.dirname, "../../..");

/** Specifiers that Node must load before the file's first line runs: static imports of values. */
function staticImports(path: string): string[] {
  const typesOnly = (node: SyntaxNode): boolean => node["importKind"] === "type" || node["exportKind"] === "type";
  return [...nodesOf({ path, text: readFileSync(posix.join(ROOT, path), "utf8") })]
    .filter((node) => /^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type) && !typesOnly(node))
    .map((node) => literalText(node["source"]))
    .filter((specifier) => specifier !== undefined);
}

/** Everything that is loaded with `entry`: files of ours by path, packages by name. */
function loadedWith(entry: string): Set<string> {
  const loaded = new Set([entry]);
  for (const path of loaded) {
    if (!path.endsWith(".ts")) continue;
    for (const specifier of staticImports(path))
      if (!specifier.startsWith("node:")) loaded.add(specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier);
  }
  return loaded;
}

describe("the start of every command", () => {
  const loaded = [...loadedWith("collector/main.ts")];

  it("loads the whole command line", () => {
    expect(loaded).toEqual(expect.arrayContaining(["collector/cli/program.ts", "collector/cli/sql.ts", "commander"]));
  });

  it("loads nothing but the command line: help waits for no collector, driver or logger", () => {
    const own = /^collector\/(main|cli\/[a-z-]+|actions\/host|base\/(csv|log-level|setup-error))\.ts$/;
    expect(loaded.filter((each) => each.endsWith(".ts") && !own.test(each))).toEqual([]);
    expect(loaded.filter((each) => !each.endsWith(".ts"))).toEqual(["commander"]);
  });
});

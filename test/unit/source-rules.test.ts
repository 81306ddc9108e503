import { describe, expect, it } from "vitest";
import { type SourceFile, sourceFiles } from "../support/source-files.ts";
import { nodesOf } from "../support/syntax.ts";

const MAX_LINES = 400;
/** Byte loops are one long switch for speed. */
const MAX_LINES_OF_BYTE_LOOPS = 500;

/** One table of cases often belongs together. */
const MAX_LINES_OF_TESTS = 600;

function limitFor(path: string): number {
  if (path.startsWith("test/")) return MAX_LINES_OF_TESTS;
  return /^collector\/(otlp|rows)\//.test(path) ? MAX_LINES_OF_BYTE_LOOPS : MAX_LINES;
}

const all = sourceFiles(".", ".ts", ".js", ".mjs", ".sql", ".md", ".yaml", ".yml", ".json", "run");
const typescript = all.filter((each) => each.path.endsWith(".ts"));

/** Put together here, so that this file does not contain what it looks for. */
const UNFINISHED = new RegExp(`\\b(${["TO", "FIX", "XX"].map((word, i) => word + ["DO", "ME", "X"][i]).join("|")})\\b`);
const MACHINE_PATH = new RegExp(`(^|[^\\w.])/${"work"}/`);

const lineCount = (file: SourceFile): number => file.text.trimEnd().split("\n").length;
const hasAny = (file: SourceFile): boolean => [...nodesOf(file)].some((node) => node.type === "TSAnyKeyword");
const pathsWhere = (files: readonly SourceFile[], holds: (file: SourceFile) => boolean): string[] =>
  files.filter(holds).map((each) => each.path);

describe("every source file", () => {
  it("is seen by these rules", () => {
    expect(typescript.length).toBeGreaterThan(10);
    expect(all.map((each) => each.path)).toEqual(expect.arrayContaining(["package.json", ".ci/run", "collector/base/log.ts"]));
  });

  it(`stays within ${MAX_LINES} lines, byte loops within ${MAX_LINES_OF_BYTE_LOOPS}, benchmarks excepted`, () => {
    const measured = typescript.filter((each) => !each.path.startsWith("test/bench/"));
    expect(pathsWhere(measured, (each) => lineCount(each) > limitFor(each.path))).toEqual([]);
  });

  it("never uses the type any", () => {
    expect(pathsWhere(typescript, hasAny)).toEqual([]);
  });

  it("leaves nothing to do later", () => {
    expect(pathsWhere(all, (each) => UNFINISHED.test(each.text))).toEqual([]);
  });

  it("names no folder of the machine it was written on", () => {
    expect(pathsWhere(all, (each) => MACHINE_PATH.test(each.text))).toEqual([]);
  });
});

describe("these rules themselves", () => {
  const file = (text: string): SourceFile => ({ path: "collector/base/x.ts", text });

  it("find what they forbid", () => {
    expect(hasAny(file("export const parse = (text: string) => JSON.parse(text) as any;"))).toBe(true);
    expect(lineCount(file(`${"\n".repeat(MAX_LINES)}x`))).toBeGreaterThan(MAX_LINES);
    expect(UNFINISHED.test(`// ${"TO"}DO later`)).toBe(true);
    expect(MACHINE_PATH.test(`see /${"work"}/notes.md`)).toBe(true);
  });

  it("let pass what only looks like it", () => {
    expect(hasAny(file('/** As any reader knows: any. */ export const any: unknown = "any";'))).toBe(false);
    expect(MACHINE_PATH.test("home/work/notes and https://example.org/work/")).toBe(false);
  });
});

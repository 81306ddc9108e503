import { describe, expect, it } from "vitest";
import { forbiddenImports, LAYERS, layerOf, processAccesses } from "../support/layers.ts";
import { type SourceFile, sourceFiles } from "../support/source-files.ts";
import { importsOf } from "../support/syntax.ts";

const program = ["sdk", "schema", "collector", "dashboards"].flatMap((folder) => sourceFiles(folder, ".ts", ".tsx", ".mts", ".cts"));

/** Programs of their own: they read their arguments and set their exit code. */
const ENTRY_POINTS = ["collector/main.ts", "schema/dump.ts"];

/** The SDK lives in the process of an application: it is set up by the environment and delivers before the end. */
const ofProgram = ({ path }: SourceFile): boolean => !ENTRY_POINTS.includes(path) && layerOf(path) !== "sdk";

const file = (path: string, text: string): SourceFile => ({ path, text });

describe("the import table", () => {
  it("sees the files of the program", () => {
    const seen = new Set(program.map((each) => layerOf(each.path)));
    expect(program.length).toBeGreaterThan(8);
    expect([...seen]).toEqual(expect.arrayContaining(["sdk", "collector/base", "collector/rows"]));
  });

  it("has a rule for every file", () => {
    expect(program.filter((each) => layerOf(each.path) === undefined).map((each) => each.path)).toEqual([]);
  });

  it("names only layers that the table knows", () => {
    const named = Object.values(LAYERS).flatMap((each) => each.ours.map((name) => name.replace("types:", "")));
    expect(named.filter((name) => name !== "*" && layerOf(`${name}/x.ts`) === undefined)).toEqual([]);
  });

  it("has no circle: no layer reaches itself through others", () => {
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      (LAYERS[from]?.ours ?? []).some((name) => {
        if (name === to) return true;
        if (seen.has(name)) return false;
        seen.add(name);
        return reaches(name, to, seen);
      });
    expect(Object.keys(LAYERS).filter((layer) => reaches(layer, layer))).toEqual([]);
  });

  it("is kept by every import in the program", () => {
    expect(program.flatMap(forbiddenImports)).toEqual([]);
  });

  it("lets one file load postgres.js, the one that corrects it; the others take its types", () => {
    const loaders = program.filter((each) => importsOf(each).some(({ specifier, typesOnly }) => specifier === "postgres" && !typesOnly));
    expect(loaders.map((each) => each.path)).toEqual(["schema/driver.ts"]);
  });
});

describe("the rights of main.ts", () => {
  it("are used by nothing else: exit, arguments, environment, signals", () => {
    expect(program.filter(ofProgram).flatMap(processAccesses)).toEqual([]);
  });
});

describe("the fence itself", () => {
  it.each([
    ["a layer further on", 'import { copy } from "../exporters/postgres/copy.ts";'],
    ["a re-export", 'export { copy } from "../exporters/postgres/copy.ts";'],
    ["a re-export of everything", 'export * from "../exporters/postgres/copy.ts";'],
    ["a dynamic import", 'const copy = await import("../exporters/postgres/copy.ts");'],
    ["a dynamic import of a computed path", "const copy = await import(name);"],
    ["a type", 'type Copy = import("../exporters/postgres/copy.ts").Copy;'],
    ["an import for its effect", 'import "../exporters/postgres/copy.ts";'],
    ["a package", 'import postgres from "postgres";'],
    ["a package's subpath", 'import { serve } from "@hono/node-server/serve-static";'],
  ])("refuses %s", (_, text) => {
    expect(forbiddenImports(file("collector/otlp/codec.ts", text))).toHaveLength(1);
  });

  it("lets pass what the table allows, and text that only looks like an import", () => {
    const text = `import { strict } from "node:assert"; import { ByteWriter } from "../base/byte-writer.ts"; import { wire } from "./wire.ts";
      // import postgres from "postgres"
      const example = \`import postgres from "postgres"\`;`;
    expect(forbiddenImports(file("collector/otlp/codec.ts", text))).toEqual([]);
    expect(forbiddenImports(file("collector/receivers/otlp-http.ts", 'import { compress } from "hono/compress";'))).toEqual([]);
  });

  it("tells types from values, and one shared file from its folder", () => {
    const importOf = (text: string) => forbiddenImports(file("collector/query/spans.ts", text));
    expect(importOf('import type { RowSet } from "../rows/encoded-request.ts";')).toEqual([]);
    expect(importOf('import { type RowSet } from "../rows/encoded-request.ts";')).toEqual([]);
    expect(importOf('import { SPANS } from "../rows/table-spec.ts";')).toHaveLength(1);
    expect(forbiddenImports(file("collector/dialects/openai.ts", 'import { ERROR_TYPE } from "../../sdk/attributes.ts";'))).toEqual([]);
    expect(forbiddenImports(file("collector/dialects/openai.ts", 'import { generation } from "../../sdk/index.ts";'))).toHaveLength(1);
  });

  it("refuses a file in a folder that the table does not know", () => {
    expect(forbiddenImports(file("collector/helpers/misc.ts", ""))).toHaveLength(1);
  });

  it.each([
    "process.exit(1)",
    "process.exitCode = 1",
    "process.argv.slice(2)",
    'process.env["HOME"]',
    'process["env"]',
    "process[name]",
    'process.on("SIGTERM", stop)',
    "globalThis.process.env",
    "const { env } = process;",
    'import { env } from "node:process";',
    'import process from "node:process";',
  ])("refuses %s outside main.ts", (text) => {
    expect(processAccesses(file("collector/api/routes.ts", text))).not.toEqual([]);
  });

  it("lets pass what says nothing of the program's surroundings", () => {
    expect(processAccesses(file("collector/base/clock.ts", "process.hrtime.bigint(); process.pid; process.stdout.write('')"))).toEqual([]);
  });
});

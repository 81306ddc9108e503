import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { explainFile } from "../../../collector/actions/map.ts";
import { csvLine } from "../../../collector/cli/csv.ts";
import { cellText } from "../../../collector/cli/result-set.ts";
import { ConfigError } from "../../../collector/config/index.ts";

const PAGE = readFileSync(new URL("../../../docs/mapping.md", import.meta.url), "utf8");
const HOST = { env: {}, rootFolder: "." };

/** A block of the page by its language and name. */
function block(name: string): string {
  const found = new RegExp(`\`\`\`${name}\n(.*?)\`\`\``, "s").exec(PAGE)?.[1];
  if (found === undefined) throw new Error(`the page has no block ${name}`);
  return found;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "genspan-mapping-"));
  writeFileSync(join(folder, "body.json"), block("json body"));
  writeFileSync(join(folder, "house.yaml"), block("yaml config"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const explained = async (configFiles: string[], configSets: string[] = []): Promise<string[]> => {
  const result = explainFile(join(folder, "body.json"), { configFiles, configSets }, HOST);
  const lines = [csvLine(result.columns)];
  for await (const batch of result.batches) lines.push(...batch.map((row) => csvLine(row.map(cellText))));
  return lines.map((line) => line.trimEnd());
};

it("a house dialect is nothing without rules", async () => {
  const lines = await explained([]);
  expect(lines.slice(1).every((line) => line.startsWith("ask,other,"))).toBe(true);
});

it("the example of the page comes to what the page says", async () => {
  const lines = await explained([join(folder, "house.yaml")]);
  const understood = lines.filter((line) => !line.includes(",house.") && line !== "");
  expect(`${understood.join("\n")}\n`).toBe(block("csv result"));
});

it("what its rules call content is no more there without content", async () => {
  const lines = await explained(
    [join(folder, "house.yaml")],
    ["processors.redaction.capture_content=false", "service.pipelines.traces.processors=[redaction, genai_mapping]"],
  );
  expect(lines.join("\n")).toContain("gpt-4o-mini");
  expect(lines.join("\n")).not.toContain("noun");
});

it("a concept that does not exist is refused with the list of those that do", async () => {
  writeFileSync(join(folder, "wrong.yaml"), block("yaml config").replace("concept: model", "concept: modelName"));
  expect(() => explainFile(join(folder, "body.json"), { configFiles: [join(folder, "wrong.yaml")], configSets: [] }, HOST)).toThrow(
    ConfigError,
  );
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";

/** Test data of other projects: not ours to copy, so it is read where it lies beside the repository, and these tests say when it does not. */
const FOLDER = new URL("../../../../shared/fixtures/dialects/", import.meta.url);

type Row = Record<string, unknown>;

interface Case {
  readonly name: string;
  readonly body: object;
}

/** The OTLP requests in a file, wherever they stand in it. */
function casesIn(value: unknown, name: string): Case[] {
  if (Array.isArray(value)) return value.flatMap((entry, i) => casesIn(entry, `${name}/${i}`));
  if (typeof value !== "object" || value === null) return [];
  if ("resourceSpans" in value) return [{ name, body: value }];
  return Object.entries(value).flatMap(([key, entry]) => casesIn(entry, `${name}/${key}`));
}

const casesOf = (folder: string): Case[] => {
  const url = new URL(`${folder}/`, FOLDER);
  const files = readdirSync(url).filter((file) => file.endsWith(".json"));
  return files.flatMap((file) => casesIn(JSON.parse(readFileSync(new URL(file, url), "utf8")), file));
};

const rows = (body: object): { spans: Row[]; generations: Row[] } =>
  rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(body)), "traces"));

describe.each(["logfire", "pydantic-ai", "openinference-vercel-v6"])("test data of %s", (folder) => {
  it("is understood: no case crashes, every call is a leaf, and its counts make sense", ({ skip }) => {
    if (!existsSync(new URL(`${folder}/`, FOLDER))) skip("the third-party fixtures are not beside this repository");
    const cases = casesOf(folder);
    expect(cases.length).toBeGreaterThan(0);
    let understood = 0;
    let calls = 0;
    for (const { body } of cases) {
      const { spans, generations } = rows(body);
      expect(spans.length).toBeGreaterThan(0);
      if (generations.length > 0) understood++;
      calls += generations.length;
      for (const call of generations) {
        expect(call["model_name"] ?? call["operation_name"]).toBeTruthy();
        const [input, output, reasoning] = [call["tokens_prompt"], call["tokens_completion"], call["tokens_reasoning"]];
        if (typeof output === "number" && typeof reasoning === "number") expect(reasoning).toBeLessThanOrEqual(output);
        if (typeof input === "number")
          expect(input).toBeGreaterThanOrEqual(Number(call["tokens_cache_read"] ?? 0) + Number(call["tokens_cache_write"] ?? 0));
      }
    }
    console.log(`${folder}: ${cases.length} cases, ${understood} with model calls, ${calls} calls`);
    expect(understood).toBeGreaterThan(0);
  });
});

import { expect, it } from "vitest";
import { history } from "../../../collector/demo/stories.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";

const NOW = 1_795_219_200_000;
const told = (seed: number): object[] => [...history({ rows: 300, seed, nowMillis: NOW })].map(({ body }) => body);
const rows = told(7).map((body) => rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(body)), "traces")));
const generations = rows.flatMap((each) => each.generations);

it("the same seed tells the same story, another one another", () => {
  expect(told(7)).toEqual(told(7));
  expect(told(8)).not.toEqual(told(7));
});

it("every span is stored as it is, and the calls are as many as asked for, plus the special ones", () => {
  for (const { request, spans } of rows) {
    expect(request.refusedItems).toEqual([]);
    for (const row of spans) expect(row["ingest_notes"]).toBeNull();
  }
  expect(generations).toHaveLength(300 + 1 + 5);
});

it("has four providers, three prompt versions, failures, a trace of 2,000 spans with seven errors, and a message of a megabyte", () => {
  expect(new Set(generations.map((row) => row["provider_name"])).size).toBe(4);
  expect(new Set(generations.map((row) => row["prompt_template_version"]).filter(Boolean))).toEqual(new Set(["2.0", "2.1", "2.2"]));
  expect(new Set(generations.map((row) => row["generation_status"])).has("failed")).toBe(true);
  const long = rows.find(({ spans }) => spans.length === 2_000)!;
  expect(long.spans.filter((row) => row["status_code"] === 2)).toHaveLength(7);
  expect(Math.max(...generations.map((row) => String(row["prompt_full_text"]).length))).toBeGreaterThan(1_000_000);
});

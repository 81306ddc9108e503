import { describe, expect, it } from "vitest";
import { isObject, numberOf, parseJson } from "../../../collector/dialects/json.ts";
import { foldCalls } from "../../../collector/refinement/fold.ts";
import { rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { callFactsOf } from "./call-facts.ts";
import { THIRD_PARTY } from "./evidence.ts";
import { isThere, thirdPartyCases } from "./third-party-cases.ts";

type Row = Record<string, unknown>;
type Usage = readonly [input: number | undefined, output: number | undefined];

/** Names of the counts that a span may carry, best first: an account of its own, that knows nothing of the dialects. */
const INPUT = ["gen_ai.usage.input_tokens", "llm.token_count.prompt", "ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"];
const OUTPUT = ["gen_ai.usage.output_tokens", "llm.token_count.completion", "ai.usage.outputTokens", "ai.usage.completionTokens"];

function usageOf(attributes: Row): Usage {
  const first = (names: readonly string[]) => names.map((name) => numberOf(attributes[name])).find((count) => count !== undefined);
  const bodies = ["response_data", "gen_ai.usage.raw"].map((name) => parseJson(String(attributes[name]))).filter(isObject);
  const usages = bodies.map((body) => (isObject(body["usage"]) ? body["usage"] : body));
  const told = (...names: readonly string[]) =>
    usages.flatMap((usage) => names.map((name) => numberOf(usage[name]))).find((n) => n !== undefined);
  return [
    first(INPUT) ?? told("prompt_tokens", "input_tokens") ?? first(["gen_ai.usage.partial.input_tokens"]),
    first(OUTPUT) ?? told("completion_tokens", "output_tokens") ?? first(["gen_ai.usage.partial.output_tokens"]),
  ];
}

/** Spans with usage that have none with usage below them; the AI SDK's outer spans are known by their names, where the tree is not. */
function leafUsage(spans: readonly Row[]): { input: number; output: number } {
  const withUsage = spans.flatMap((span) => {
    const attributes = span["attributes"] as Row;
    const usage = usageOf(attributes);
    const outer = /^ai\.\w+$/.test(String(attributes["ai.operationId"]));
    return usage.some((count) => count !== undefined) && !outer ? [{ span, usage }] : [];
  });
  const parents = new Map(spans.map((span) => [span["span_id"], span["parent_span_id"]]));
  const above = new Set<unknown>();
  for (const { span } of withUsage) {
    for (let id = span["parent_span_id"]; id !== null && id !== undefined && !above.has(id); id = parents.get(id)) above.add(id);
  }
  const leaves = withUsage.filter(({ span }) => !above.has(span["span_id"]));
  const sum = (side: 0 | 1) => leaves.reduce((total, { usage }) => total + (usage[side] ?? 0), 0);
  return { input: sum(0), output: sum(1) };
}

const counted = (rows: readonly Row[], column: string): number => rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0);

/** The same tokens when the whole trace is known: no wrapper counts beside the calls within it. */
function countedOnceTogether({ spans, generations, request }: ReturnType<typeof rowsFromTraces>): { input: number; output: number } {
  const rows = [...generations, ...rowsOf(request, "generation_twins")];
  const rowOf = new Map(rows.map((row) => [callFactsOf(row), row]));
  const parents = new Map(spans.map((span) => [String(span["span_id"]), String(span["parent_span_id"] ?? "")]));
  const kept = foldCalls([...rowOf.keys()], { parents, apart: new Set(), tries: new Set() }).counted.map(({ call }) => rowOf.get(call)!);
  return { input: counted(kept, "tokens_prompt"), output: counted(kept, "tokens_completion") };
}

function expectSense(call: Row): void {
  expect(call["model_name"] ?? call["operation_name"]).toBeTruthy();
  const [input, output, reasoning] = [call["tokens_prompt"], call["tokens_completion"], call["tokens_reasoning"]];
  if (typeof output === "number" && typeof reasoning === "number") expect(reasoning).toBeLessThanOrEqual(output);
  if (typeof input === "number")
    expect(input).toBeGreaterThanOrEqual(Number(call["tokens_cache_read"] ?? 0) + Number(call["tokens_cache_write"] ?? 0));
}

describe.each(Object.entries(THIRD_PARTY))("test data of %s", (folder, evidence) => {
  it("is understood: no case crashes, and the counted tokens are those of the leaf calls", ({ skip }) => {
    if (!isThere(folder)) skip("the third-party fixtures are not beside this repository");
    const cases = thirdPartyCases(folder);
    let understood = 0;
    let calls = 0;
    let wrappers = 0;
    for (const { name, body } of cases) {
      const rows = rowsFromTraces(body);
      const { spans, generations } = rows;
      expect(spans.length, name).toBeGreaterThan(0);
      if (generations.length > 0) understood++;
      calls += generations.length;
      for (const call of generations) expectSense(call);
      const found = { input: counted(generations, "tokens_prompt"), output: counted(generations, "tokens_completion") };
      expect(found, name).toEqual(leafUsage(spans));
      wrappers += rowsOf(rows.request, "generation_twins").length;
      expect(countedOnceTogether(rows), `${name}, with its wrappers`).toEqual(found);
    }
    console.log(`${folder}: ${cases.length} cases, ${understood} with model calls, ${calls} calls, ${wrappers} wrappers with usage`);
    expect({ cases: cases.length, understood, calls }).toEqual({
      cases: evidence.cases,
      understood: evidence.understood,
      calls: evidence.calls,
    });
  });
});

import { isObject } from "../../base/json-values.ts";
import { spanIdsOf, uuidOf } from "./row-ids.ts";
import type { ImportRow, JsonObject } from "./shapes.ts";

const object = (value: unknown): JsonObject | undefined => (isObject(value) ? value : undefined);

const TOTALS = ["total_input_tokens", "total_output_tokens", "total_reasoning_tokens", "total_tokens"] as const;
/** Names under which applications keep the parts of a problem. */
const PARTS = ["sentences", "sentence_traces", "generations"] as const;

const isTrace = (value: JsonObject | undefined): boolean => value !== undefined && TOTALS.some((key) => typeof value[key] === "number");

/** A problem with its `generation_trace`, or that trace alone. */
export const isProblem = (value: JsonObject): boolean => isTrace(object(value["generation_trace"])) || isTrace(value);

/** The row of generation_items, and one of generation_logs for each sentence that says with which words it was made. */
export function problemRows(value: JsonObject, receivedAt: string): ImportRow[] {
  const trace = object(value["generation_trace"]) ?? value;
  const createdAt = value["created_at"] ?? trace["created_at"] ?? receivedAt;
  const itemId = String(value["id"] ?? trace["problem_id"] ?? uuidOf("problem", trace));
  const item: ImportRow = {
    noun: "items",
    values: {
      id: uuidOf("item", itemId),
      item_id: itemId,
      kind: "problem",
      title: value["title"] ?? null,
      created_at: createdAt,
      updated_at: createdAt,
      prompt_version: trace["prompt_version"] ?? null,
      model: trace["model"] ?? null,
      ...Object.fromEntries(TOTALS.map((key) => [key, trace[key] ?? null])),
      quality_status: trace["quality_status"] ?? null,
      quality_issues: trace["quality_issues"] ?? null,
      generation_trace: trace,
      told: toldBy(value, trace, createdAt),
    },
  };
  const sentences = partsOf(trace).map((part, index) => sentenceRow(part, { trace, itemId, index, createdAt, receivedAt }));
  return [{ ...item, values: { ...item.values, generations_count: sentences.length || null } }, ...sentences];
}

/** What the row is made of again when calls of the item come in later (collector/refinement/items.ts). */
const toldBy = (value: JsonObject, trace: JsonObject, createdAt: unknown): JsonObject =>
  Object.fromEntries(
    Object.entries({
      kind: "problem",
      title: value["title"],
      created_at: createdAt,
      prompt_version: trace["prompt_version"],
      model: trace["model"],
      quality_status: trace["quality_status"],
      quality_issues: trace["quality_issues"],
      metadata: trace["metadata"],
      ...Object.fromEntries(TOTALS.map((key) => [key, trace[key]])),
    }).filter(([, known]) => known !== undefined && known !== null),
  );

const partsOf = (trace: JsonObject): readonly JsonObject[] => {
  const parts = PARTS.map((key) => trace[key]).find(Array.isArray) ?? [];
  return parts.filter((part): part is JsonObject => object(part) !== undefined);
};

interface Problem {
  readonly trace: JsonObject;
  readonly itemId: string;
  readonly index: number;
  readonly createdAt: unknown;
  readonly receivedAt: string;
}

function sentenceRow(part: JsonObject, { trace, itemId, index, createdAt, receivedAt }: Problem): ImportRow {
  const error = part["error"] ?? null;
  return {
    noun: "generations",
    values: {
      ...spanIdsOf("sentence", itemId, part["index"] ?? index),
      start_time: createdAt,
      logged_at: createdAt,
      updated_at: createdAt,
      received_at: receivedAt,
      dialect: "import",
      item_id: itemId,
      prompt_full_text: part["prompt_text"] ?? null,
      prompt_format: part["prompt_text"] == null ? null : "text",
      response_full_text: part["content"] ?? null,
      response_format: part["content"] == null ? null : "text",
      reasoning_content: part["reasoning_content"] ?? null,
      prompt_template_version: part["prompt_version"] ?? trace["prompt_version"] ?? null,
      model_name: part["model"] ?? trace["model"] ?? null,
      response_model: part["response_model"] ?? null,
      response_id: part["response_id"] ?? null,
      tokens_prompt: part["input_tokens"] ?? null,
      tokens_completion: part["output_tokens"] ?? null,
      tokens_reasoning: part["reasoning_tokens"] ?? null,
      tokens_total: part["total_tokens"] ?? null,
      duration_ms: part["duration_ms"] ?? null,
      response_finish_reason: part["finish_reason"] ?? null,
      generation_status: part["status"] ?? (error === null ? "success" : "failed"),
      error_message: error,
      content_state: part["prompt_text"] == null && part["content"] == null ? "absent" : "captured",
    },
  };
}

import { isObject } from "../../base/json-values.ts";
import { STATUSES } from "./generation-log.ts";
import { spanIdsOf, uuidOf } from "./row-ids.ts";
import type { ImportRow, JsonObject } from "./shapes.ts";

const object = (value: unknown): JsonObject | undefined => (isObject(value) ? value : undefined);

const TOTALS = ["total_input_tokens", "total_output_tokens", "total_reasoning_tokens", "total_tokens"] as const;
/** Names under which applications keep the parts of a problem. */
const PARTS = ["sentences", "sentence_traces", "generations"] as const;

/** What a trace says of its item; where it does not, the problem around it may. */
const OF_BOTH: ReadonlySet<string> = new Set(["prompt_version", "model", "quality_status", "quality_issues", "metadata", ...TOTALS]);
const OF_PROBLEM: ReadonlySet<string> = new Set(["id", "title", "created_at", "generation_trace"]);
const OF_TRACE: ReadonlySet<string> = new Set([...OF_BOTH, ...PARTS, "problem_id", "title", "created_at"]);

const isTrace = (value: JsonObject | undefined): boolean => value !== undefined && TOTALS.some((key) => typeof value[key] === "number");

/** A problem with its `generation_trace`, or that trace alone. */
export const isProblem = (value: JsonObject): boolean => isTrace(object(value["generation_trace"])) || isTrace(value);

/**
 * The row of generation_items, and one of generation_logs for each sentence that says with which words it was made. What no column takes is in the trace's
 * metadata, and in additional_metadata of the sentence.
 */
export function problemRows(value: JsonObject, receivedAt: string): ImportRow[] {
  const inner = object(value["generation_trace"]);
  const trace = inner === undefined ? value : withProblem(inner, value);
  const createdAt = value["created_at"] ?? trace["created_at"];
  const itemId = String(value["id"] ?? trace["problem_id"] ?? uuidOf("problem", inner ?? value));
  const facts = { kind: "problem", title: value["title"] ?? trace["title"], created_at: createdAt ?? receivedAt, ...pick(trace, OF_BOTH) };
  const { metadata: _, ...columns } = facts as JsonObject;
  const parts = partsOf(trace);
  const item: ImportRow = {
    noun: "items",
    values: {
      id: uuidOf("item", itemId),
      item_id: itemId,
      ...columns,
      updated_at: facts.created_at,
      generation_trace: trace,
      told: withMetadata(facts, without(trace, OF_TRACE)),
      generations_count: parts.length || null,
    },
  };
  return [item, ...parts.map((part, index) => sentenceRow(part, { trace, itemId, index, createdAt, receivedAt }))];
}

const pick = (value: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name, told]) => told != null && names.has(name)));
const without = (value: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name, told]) => told != null && !names.has(name)));

/** The trace of a problem with what the problem says beside it. */
function withProblem(trace: JsonObject, problem: JsonObject): JsonObject {
  const toldTwice = pick(problem, new Set([...OF_BOTH].filter((name) => trace[name] != null)));
  const shared = without(pick(problem, OF_BOTH), new Set(Object.keys(toldTwice)));
  return withMetadata({ ...trace, ...shared }, { ...without(problem, new Set([...OF_PROBLEM, ...OF_BOTH])), ...toldTwice });
}

/** Adds to the metadata; what is there already stays. */
function withMetadata<T extends JsonObject>(value: T, more: JsonObject): T {
  if (Object.keys(more).length === 0) return value;
  const own = value["metadata"];
  return { ...value, metadata: { ...more, ...(isObject(own) ? own : own == null ? {} : { metadata: own }) } };
}

const partsOf = (trace: JsonObject): readonly JsonObject[] => {
  const parts = PARTS.map((key) => trace[key]).find(Array.isArray) ?? [];
  return parts.filter((part): part is JsonObject => object(part) !== undefined);
};

interface Problem {
  readonly trace: JsonObject;
  readonly itemId: string;
  readonly index: number;
  /** Undefined where neither the problem nor its trace says it. */
  readonly createdAt: unknown;
  readonly receivedAt: string;
}

/** Columns of generation_logs by the names that a part has for them. */
const COLUMN_BY_NAME = new Map([
  ["prompt_text", "prompt_full_text"],
  ["content", "response_full_text"],
  ["reasoning_content", "reasoning_content"],
  ["prompt_name", "prompt_template_name"],
  ["prompt_version", "prompt_template_version"],
  ["model", "model_name"],
  ["response_model", "response_model"],
  ["response_id", "response_id"],
  ["input_tokens", "tokens_prompt"],
  ["output_tokens", "tokens_completion"],
  ["reasoning_tokens", "tokens_reasoning"],
  ["total_tokens", "tokens_total"],
  ["duration_ms", "duration_ms"],
  ["finish_reason", "response_finish_reason"],
]);
const OF_PART: ReadonlySet<string> = new Set([...COLUMN_BY_NAME.keys(), "index"]);

function sentenceRow(part: JsonObject, { trace, itemId, index, createdAt, receivedAt }: Problem): ImportRow {
  const { status: told, error, error_message: errorMessage, ...facts } = part;
  const message = error ?? errorMessage ?? null;
  const isStatus = STATUSES.has(told);
  const rest = without(
    { ...facts, ...(isStatus ? {} : { status: told }), ...(error == null ? {} : { error_message: errorMessage }) },
    OF_PART,
  );
  const at = createdAt ?? receivedAt;
  const has = (name: string): boolean => part[name] != null;
  return {
    noun: "generations",
    isUntimed: createdAt === undefined,
    values: {
      prompt_template_version: trace["prompt_version"],
      model_name: trace["model"],
      ...Object.fromEntries(Object.entries(pick(facts, OF_PART)).map(([name, value]) => [COLUMN_BY_NAME.get(name) ?? name, value])),
      ...spanIdsOf("sentence", itemId, part["index"] ?? index),
      start_time: at,
      logged_at: at,
      updated_at: at,
      received_at: receivedAt,
      dialect: "import",
      item_id: itemId,
      prompt_format: has("prompt_text") ? "text" : null,
      response_format: has("content") ? "text" : null,
      generation_status: isStatus ? told : message === null ? "success" : "failed",
      error_message: message,
      content_state: has("prompt_text") || has("content") ? "captured" : "absent",
      additional_metadata: Object.keys(rest).length === 0 ? null : rest,
    },
  };
}

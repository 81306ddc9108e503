import { isObject } from "../../base/json-values.ts";
import { spanIdsOf } from "./row-ids.ts";
import type { ImportRow, JsonObject } from "./shapes.ts";

const object = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** A log of one model call that an application kept itself: flat columns, or sections `prompt`, `response` and `error`. */
export const isGenerationLog = (value: JsonObject): boolean =>
  typeof value["prompt_full_text"] === "string" || typeof object(value["prompt"])["full_text"] === "string";

const ENTITY_KEY = /^(.+)_id$/;
/** Ids that are no record of the application. */
const OWN_IDS = new Set([
  "response_id",
  "trace_id",
  "span_id",
  "parent_span_id",
  "run_id",
  "item_id",
  "user_id",
  "conversation_id",
  "entity_id",
]);

/** `definitie_id: 456` is the entity definitie 456. */
function entityOf(value: JsonObject): JsonObject {
  for (const [key, id] of Object.entries(value)) {
    const type = ENTITY_KEY.exec(key)?.[1];
    if (type !== undefined && !OWN_IDS.has(key) && (typeof id === "number" || typeof id === "string"))
      return { entity_type: type, entity_id: String(id) };
  }
  return {};
}

const STATUSES = new Set(["pending", "success", "failed", "timeout"]);

/** The row of generation_logs; logged_at is when it began. Imported again it is the same row. */
export function generationOf(source: JsonObject, receivedAt: string): ImportRow {
  const value = isSectioned(source) ? flattened(source) : source;
  const status = String(value["generation_status"] ?? "success");
  const began = value["logged_at"] ?? receivedAt;
  const { id, additional_metadata: metadata, prompt_modules_used: modules, ...columns } = value;
  return {
    noun: "generations",
    values: {
      ...entityOf(value),
      ...columns,
      ...spanIdsOf("generation", id, began, value["response_id"], value["prompt_full_text"]),
      start_time: began,
      logged_at: began,
      updated_at: value["updated_at"] ?? began,
      received_at: receivedAt,
      dialect: "import",
      prompt_format: "text",
      generation_status: STATUSES.has(status) ? status : "failed",
      content_state: "captured",
      prompt_modules_used: parsed(modules),
      additional_metadata: { ...object(parsed(metadata)), ...(id === undefined ? {} : { imported_id: id }) },
    },
  };
}

const isSectioned = (value: JsonObject): boolean => typeof object(value["prompt"])["full_text"] === "string";

/** The application's sections under the table's names. */
function flattened(value: JsonObject): JsonObject {
  const prompt = object(value["prompt"]);
  const response = object(value["response"]);
  const error = object(value["error"]);
  const { name, ...parameters } = object(prompt["model_params"]);
  return {
    ...Object.fromEntries(Object.entries(value).filter(([key]) => key.endsWith("_id") || key.endsWith("_at") || key === "id")),
    prompt_full_text: prompt["full_text"],
    prompt_template_version: prompt["template_version"],
    prompt_template_name: prompt["template_name"],
    prompt_modules_used: prompt["modules_used"],
    model_name: name,
    ...Object.fromEntries(Object.entries(parameters).map(([key, parameter]) => [`model_${key}`, parameter])),
    tokens_prompt: response["tokens_prompt"],
    tokens_completion: response["tokens_completion"],
    tokens_total: response["tokens_total"],
    response_finish_reason: response["finish_reason"],
    response_id: response["response_id"],
    response_created_at: response["created_at"],
    duration_ms: response["duration_ms"],
    error_message: error["message"],
    error_type: error["error_type"],
    error_traceback: error["traceback"],
    generation_status: value["status"],
    additional_metadata: value["metadata"],
  };
}

/** A column that held JSON as text, as SQLite has it. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

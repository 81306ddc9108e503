import { isObject, type JsonObject } from "../../base/json-values.ts";
import { spanIdsOf } from "./row-ids.ts";
import type { ImportRow } from "./shapes.ts";

const object = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** A log of one model call that an application kept itself: flat columns, or sections `prompt`, `response` and `error`. */
export const isGenerationLog = (value: Readonly<JsonObject>): boolean =>
  typeof value["prompt_full_text"] === "string" || typeof object(value["prompt"])["full_text"] === "string";

/** Columns of generation_logs that a log may fill; the others are ours to say. */
export const LOG_COLUMNS: ReadonlySet<string> = new Set([
  ...["end_time", "updated_at", "service_name", "environment", "operation_name", "provider_name", "generation_status", "attempts_count"],
  ...["prompt_full_text", "prompt_template_name", "prompt_template_version", "prompt_modules_used", "prompt_variables"],
  ...["system_instructions", "tool_definitions", "model_name", "model_temperature", "model_max_tokens", "model_top_p", "model_top_k"],
  ...[
    "model_frequency_penalty",
    "model_presence_penalty",
    "model_seed",
    "model_stop_sequences",
    "model_reasoning_level",
    "model_parameters",
  ],
  ...["response_model", "response_full_text", "response_finish_reason", "response_id", "response_created_at", "reasoning_content"],
  ...["tokens_prompt", "tokens_completion", "tokens_total", "tokens_reasoning", "tokens_cache_read", "tokens_cache_write"],
  ...["duration_ms", "time_to_first_token_ms", "cached", "error_message", "error_type", "error_traceback"],
  ...["cost_amount", "cost_currency", "cost_source", "run_id", "item_id", "conversation_id", "user_id", "entity_type", "entity_id"],
  ...["quality_status", "quality_issues", "quality_score"],
]);

const ENTITY_KEY = /^(.+)_id$/;
/** Ids that are no record of the application. */
const OWN_IDS = new Set(["trace_id", "span_id", "parent_span_id"]);

export const STATUSES: ReadonlySet<unknown> = new Set(["pending", "success", "failed", "timeout"]);

/** The row of generation_logs; logged_at is when it began. What no column takes is in additional_metadata. Imported again it is the same row. */
export function generationOf(source: Readonly<JsonObject>, receivedAt: string): ImportRow {
  const { began, id, columns, metadata } = readLog(source);
  const told = columns["generation_status"] ?? "success";
  const status = STATUSES.has(told) ? told : "failed";
  const { response_id: responseId, prompt_full_text: prompt } = columns;
  return {
    noun: "generations",
    isUntimed: began === undefined,
    values: {
      ...columns,
      ...(began === undefined ? spanIdsOf("generation", source) : spanIdsOf("generation", id, began, responseId, prompt)),
      start_time: began ?? receivedAt,
      logged_at: began ?? receivedAt,
      updated_at: columns["updated_at"] ?? began ?? receivedAt,
      received_at: receivedAt,
      dialect: "import",
      prompt_format: "text",
      response_format: columns["response_full_text"] === undefined ? null : "text",
      generation_status: status,
      content_state: "captured",
      prompt_modules_used: parsed(columns["prompt_modules_used"]),
      additional_metadata: { ...known({ imported_id: id, generation_status: status === told ? undefined : told }), ...metadata },
    },
  };
}

interface Log {
  readonly began: unknown;
  readonly id: unknown;
  readonly columns: Readonly<JsonObject>;
  /** The log's own, and what no column takes, as it stands there. */
  readonly metadata: Readonly<JsonObject>;
}

/** What `isTaken` leaves of an object, without nulls. */
const leftOf = (told: Readonly<JsonObject>, isTaken: (name: string, value: unknown) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(told).filter(([name, value]) => value != null && !isTaken(name, value)));

const known = (told: Readonly<JsonObject>): JsonObject => leftOf(told, (_, value) => value === undefined);

function readLog(source: Readonly<JsonObject>): Log {
  const columns: JsonObject = {};
  const take = (name: string, value: unknown): boolean => {
    if (!LOG_COLUMNS.has(name) || columns[name] !== undefined) return false;
    columns[name] = value;
    return true;
  };
  const { id, status, logged_at: loggedAt, created_at: createdAt, metadata, additional_metadata: additional, ...told } = known(source);
  const left = leftOf({ ...told, status, created_at: loggedAt === undefined ? undefined : createdAt }, take);
  if (left["status"] !== undefined && take("generation_status", left["status"])) delete left["status"];
  if (columns["entity_type"] === undefined && columns["entity_id"] === undefined) takeEntity(left, columns);
  takeSections(left, take);
  return {
    began: loggedAt ?? createdAt,
    id,
    columns,
    metadata: { ...left, ...asMembers("metadata", metadata), ...asMembers("additional_metadata", additional) },
  };
}

/** `definitie_id: 456` is the entity definitie 456. */
function takeEntity(left: JsonObject, columns: JsonObject): void {
  for (const [key, id] of Object.entries(left)) {
    const type = ENTITY_KEY.exec(key)?.[1];
    if (type === undefined || OWN_IDS.has(key) || (typeof id !== "number" && typeof id !== "string")) continue;
    delete left[key];
    Object.assign(columns, { entity_type: type, entity_id: String(id) });
    return;
  }
}

/** The application's sections `prompt`, `response` and `error` name columns without the section's name, or with it. */
function takeSections(left: JsonObject, take: (name: string, value: unknown) => boolean): void {
  for (const section of ["prompt", "response", "error"]) {
    const told = left[section];
    if (!isObject(told)) continue;
    const rest = leftOf(told, (name, value) => name !== PARAMETERS && (take(`${section}_${name}`, value) || take(name, value)));
    if (isObject(rest[PARAMETERS])) {
      const others = leftOf(rest[PARAMETERS], (name, value) => take(`model_${name}`, value));
      if (isEmpty(others) || take("model_parameters", others)) delete rest[PARAMETERS];
      else rest[PARAMETERS] = others;
    }
    if (isEmpty(rest)) delete left[section];
    else left[section] = rest;
  }
}

const PARAMETERS = "model_params";
const isEmpty = (value: JsonObject): boolean => Object.keys(value).length === 0;

/** The members of what is an object, or of the text of one; anything else under its name. */
function asMembers(name: string, value: unknown): JsonObject {
  const object = parsed(value);
  return isObject(object) ? object : known({ [name]: value });
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

import { IS_UNPRICED } from "../cost.ts";
import { attributeIsAmong } from "../filter/attribute.ts";
import {
  choiceKey,
  countKey,
  entityKey,
  type FilterKey,
  maximumKey,
  minimumKey,
  NONE,
  type Noun,
  oneOf,
  projectKey,
  propertyKey,
  type SpanKey,
  type TimeRange,
  textKey,
} from "../filter/noun.ts";
import { and, type Fragment, name, or, sql } from "../sql.ts";
import { SEARCHED_COLUMNS } from "../words/searched-columns.ts";
import { wordlessTimes } from "../words/wordless.ts";

export const GENERATION_STATUSES = ["pending", "success", "failed", "timeout"] as const;

/** What went wrong, by its type or by words of its message. Only rows without success have an error; saying so lets the index of those rows serve. */
const errorKey: FilterKey = {
  ...textKey("error_type", "type of error, or a part of its message"),
  where: (values) => {
    const parts = values.filter((value) => value !== NONE).map((value) => `%${String(value).replace(/[\\%_]/g, "\\$&")}%`);
    const named = and([
      sql`generation_status <> 'success'`,
      or([oneOf(name("error_type"), values), sql`error_message ILIKE ANY(${parts}::text[])`]),
    ]);
    return values.includes(NONE) ? or([sql`error_type IS NULL AND error_message IS NULL`, named]) : named;
  },
};

const CONTENT = {
  reasoning: sql`reasoning_content IS NOT NULL OR tokens_reasoning > 0`,
  tools: sql`tool_definitions IS NOT NULL OR response_finish_reason IN ('tool_calls', 'tool_use', 'tool_call', 'function_call')`,
  images: sql`EXISTS (SELECT FROM outputs o WHERE o.project_id = generation_logs.project_id AND o.trace_id = generation_logs.trace_id
    AND o.span_id = generation_logs.span_id AND o.start_time = generation_logs.start_time AND o.modality = 'image')`,
  unlinked: sql`entity_type IS NOT NULL AND entity_id IS NULL`,
  unpriced: IS_UNPRICED,
  content: sql`content_state IN ('captured', 'truncated', 'redacted')`,
};

/** A span says so itself, or its resource does. The resources are found once. */
const spanHas = (attribute: string, values: readonly string[]): Fragment =>
  sql`${attributeIsAmong(sql`s.attributes`, attribute, values)} OR s.resource_id IN (
    SELECT r.id FROM resources r WHERE r.project_id = (SELECT genspan_project()) AND ${attributeIsAmong(sql`r.attributes`, attribute, values)})`;

/**
 * Attributes of the call's span, of its resource, and what the application told beside it. Spans are looked up for one call after the other: OFFSET 0
 * keeps the planner from reading all spans there are beforehand.
 */
function attributeIs(attribute: string, values: readonly string[], spans?: readonly SpanKey[]): Fragment {
  const own = [name("additional_metadata"), name("model_parameters")].map((column) => attributeIsAmong(column, attribute, values));
  if (spans === undefined)
    return or([
      ...own,
      sql`EXISTS (SELECT FROM spans s WHERE s.project_id = generation_logs.project_id AND s.trace_id = generation_logs.trace_id
        AND s.span_id = generation_logs.span_id AND s.start_time = generation_logs.start_time AND (${spanHas(attribute, values)}) OFFSET 0)`,
    ]);
  const [traces, ids, times] = (["trace_id", "span_id", "start_time"] as const).map((column) => spans.map((span) => span[column])) as [
    string[],
    string[],
    string[],
  ];
  return or([
    ...own,
    sql`(trace_id, span_id, start_time) IN (SELECT * FROM unnest(${traces}::text[], ${ids}::text[], ${times}::text[]::timestamptz[]))`,
  ]);
}

const attributeSpans = (attribute: string, values: readonly string[], { from, to }: TimeRange): Fragment =>
  sql`SELECT s.trace_id, s.span_id, s.start_time FROM spans s
    WHERE ${and([
      sql`s.project_id = (SELECT genspan_project())`,
      ...(from === undefined ? [] : [sql`s.start_time >= ${from}::timestamptz`]),
      ...(to === undefined ? [] : [sql`s.start_time < ${to}::timestamptz`]),
      sql`(${spanHas(attribute, values)})`,
    ])}`;

/**
 * What summaries of pages tell of (migration 0028). The planner trusts them only where a column is asked for, too, whose values follow the order of the rows:
 * the condition on the time says nothing new.
 */
const summarised = (key: FilterKey): FilterKey => ({
  ...key,
  where: (values) => sql`start_time >= '-infinity' AND (${key.where(values)})`,
});

/** Model calls: one row each of generation_logs. */
export const GENERATIONS: Noun = {
  name: "generations",
  from: sql`generation_logs`,
  time: sql`start_time`,
  identity: [sql`trace_id`, sql`span_id`],
  keys: {
    env: textKey("environment", "deployment environment"),
    service: textKey("service_name", "service that made the call"),
    project: projectKey,
    provider: textKey("provider_name", "provider"),
    model: textKey("model_name", "model that was asked for"),
    operation: textKey("operation_name", "chat, embeddings, generate_content …"),
    status: choiceKey("generation_status", GENERATION_STATUSES, "state of the call"),
    error: errorKey,
    finish: summarised(textKey("response_finish_reason", "why the model stopped")),
    dialect: textKey("dialect", "instrumentation that told of the call"),
    prompt: textKey("prompt_template_name", "name of the prompt template"),
    version: textKey("prompt_template_version", "version of the prompt template"),
    run: textKey("run_id", "batch run"),
    item: textKey("item_id", "item that the call helped to make"),
    entity: entityKey("entity_type", "entity_id"),
    user: summarised(textKey("user_id", "user")),
    conversation: summarised(textKey("conversation_id", "conversation")),
    quality: textKey("quality_status", "state of its review, such as pending_review"),
    min_ms: summarised(minimumKey("duration_ms", "at least this many milliseconds")),
    max_ms: summarised(maximumKey("duration_ms", "at most this many milliseconds")),
    min_tokens: summarised(minimumKey("tokens_total", "at least this many tokens in all", "whole")),
    max_tokens: summarised(maximumKey("tokens_total", "at most this many tokens in all", "whole")),
    min_cost: summarised(minimumKey("cost_amount", "costs at least this much")),
    max_cost: summarised(maximumKey("cost_amount", "costs at most this much")),
    attempts: countKey("attempts_count", "number of attempts"),
    has: propertyKey(CONTENT, "what the call has"),
  },
  sorts: {
    duration: { expression: sql`duration_ms`, type: "float8" },
    tokens: { expression: sql`tokens_total`, type: "bigint" },
    cost: { expression: sql`cost_amount`, type: "numeric" },
  },
  words: SEARCHED_COLUMNS.map(name),
  wordless: wordlessTimes,
  attribute: attributeIs,
  attributeSpans,
};

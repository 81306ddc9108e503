import { z } from "@hono/zod-openapi";
import { GENERATION_STATUSES } from "../query/generations/noun.ts";
import { exactNumber, time } from "./schemas.ts";

/** Shapes of answers about model calls. Rows keep the column names of their tables; what is unknown is null. */

export const text = z.string().nullable();
export const number = exactNumber.nullable();
export const float = z.number().nullable();
/** A row with more columns than are named here: those of the table, also such as users have added. */
export const anyRow = z.looseObject({});

export const GenerationSummary = z
  .object({
    id: z.string(),
    trace_id: z.string(),
    span_id: z.string(),
    start_time: time,
    generation_status: z.enum(GENERATION_STATUSES),
    service_name: text,
    environment: text,
    operation_name: text,
    provider_name: text,
    model_name: text,
    prompt_template_name: text,
    prompt_template_version: text,
    tokens_prompt: number,
    tokens_completion: number,
    tokens_reasoning: number,
    tokens_total: number,
    cost_amount: number,
    cost_currency: text,
    duration_ms: float,
    time_to_first_token_ms: float,
    attempts_count: float,
    response_finish_reason: text,
    error_type: text,
    error_message: text,
    run_id: text,
    item_id: text,
    conversation_id: text,
    user_id: text,
    entity_type: text,
    entity_id: text,
    quality_status: text,
    quality_issues: z.unknown(),
    content_state: text,
    prompt_start: text,
    response_start: text,
  })
  .openapi("GenerationSummary");

export const GenerationDetail = z
  .looseObject({
    id: z.string(),
    start_time: time,
    generation_status: z.enum(GENERATION_STATUSES),
    model_name: text,
    prompt_full_text: text,
    response_full_text: text,
    reasoning_content: text,
    prompt_sha256: text,
    attempts: z.array(anyRow),
    scores: z.array(anyRow),
    outputs: z.array(anyRow),
    history: z.array(anyRow),
    claim: anyRow.nullable(),
  })
  .openapi("GenerationDetail", { description: "every column of generation_logs, and what belongs to the call" });

const op = z.enum(["equal", "add", "remove"]);

export const TextDiff = z
  .object({
    equal: z.boolean(),
    added_lines: z.number(),
    removed_lines: z.number(),
    pieces: z
      .array(z.object({ op, text: z.string(), words: z.array(z.object({ op, text: z.string() })).optional() }))
      .optional()
      .openapi({ description: "absent where the texts are too different to align" }),
  })
  .openapi("TextDiff");

export const Difference = z.object({ name: z.string(), a: z.unknown(), b: z.unknown() }).openapi("Difference");

export const Modules = z.object({ added: z.array(z.string()), removed: z.array(z.string()), kept: z.array(z.string()) });

export const GenerationComparison = z
  .object({
    a: anyRow,
    b: anyRow,
    parameters: z.array(Difference),
    results: z.array(Difference),
    modules: Modules,
    system_instructions: TextDiff,
    prompt: TextDiff,
    response: TextDiff,
  })
  .openapi("GenerationComparison");

export const truncated = z.boolean().openapi({ description: "there are more groups than these, with fewer calls" });

/** Numbers of a group of calls; the values of `by` stand beside them. */
export const GenerationStatistics = z
  .looseObject({
    generations: exactNumber,
    succeeded: exactNumber,
    failed: exactNumber,
    timed_out: exactNumber,
    pending: exactNumber,
    error_rate: float,
    tokens_prompt: number,
    tokens_completion: number,
    tokens_reasoning: number,
    tokens_total: number,
    avg_tokens: float,
    avg_duration_ms: float,
    p50_duration_ms: float,
    p95_duration_ms: float,
    p99_duration_ms: float,
    cost_amount: number,
    cost_currency: text,
    unpriced: exactNumber,
    approved: exactNumber,
    rejected: exactNumber,
    pending_review: exactNumber,
  })
  .openapi("GenerationStatistics");

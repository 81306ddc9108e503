import type { ExactNumber } from "../exact.ts";
import { type Page, readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** A model call as lists show it: names and numbers, and the beginnings of its texts. */
export interface GenerationSummary {
  readonly id: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly start_time: string;
  readonly generation_status: string;
  readonly service_name: string | null;
  readonly environment: string | null;
  readonly operation_name: string | null;
  readonly provider_name: string | null;
  readonly model_name: string | null;
  readonly prompt_template_name: string | null;
  readonly prompt_template_version: string | null;
  readonly tokens_prompt: ExactNumber | null;
  readonly tokens_completion: ExactNumber | null;
  readonly tokens_reasoning: ExactNumber | null;
  readonly tokens_total: ExactNumber | null;
  readonly cost_amount: ExactNumber | null;
  readonly cost_currency: string | null;
  readonly duration_ms: number | null;
  readonly time_to_first_token_ms: number | null;
  readonly attempts_count: number | null;
  readonly response_finish_reason: string | null;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly run_id: string | null;
  readonly item_id: string | null;
  readonly conversation_id: string | null;
  readonly user_id: string | null;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly quality_status: string | null;
  readonly quality_issues: unknown;
  readonly content_state: string | null;
  readonly prompt_start: string | null;
  readonly response_start: string | null;
}

/** Characters of a text that a list shows. */
const SHOWN_CHARS = 200;

/** Columns of `GenerationSummary`. */
export const SUMMARY_COLUMNS = sql`id, trace_id, span_id, start_time, generation_status, service_name, environment, operation_name, provider_name, model_name,
  prompt_template_name, prompt_template_version, tokens_prompt, tokens_completion, tokens_reasoning, tokens_total, cost_amount, cost_currency,
  quality_issues, duration_ms, time_to_first_token_ms, attempts_count, response_finish_reason, error_type, left(error_message, ${SHOWN_CHARS}) AS error_message,
  run_id, item_id, conversation_id, user_id, entity_type, entity_id, quality_status, content_state,
  left(prompt_full_text, ${SHOWN_CHARS}) AS prompt_start, left(response_full_text, ${SHOWN_CHARS}) AS response_start`;

/** One page of model calls. */
export const listGenerations = (reader: Reader, projectId: number, filter: Filter): Promise<Page<GenerationSummary>> =>
  reader.read({ projectId }, (ask) => readPage<GenerationSummary>(ask, { projectId, filter, columns: SUMMARY_COLUMNS }));

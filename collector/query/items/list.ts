import type { ExactNumber } from "../exact.ts";
import { type Page, readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** An item as lists show it. */
export interface ItemSummary {
  readonly id: string;
  readonly item_id: string;
  readonly kind: string | null;
  readonly title: string | null;
  readonly status: string | null;
  readonly created_at: string;
  readonly completed_at: string | null;
  readonly model: string | null;
  readonly prompt_version: string | null;
  readonly total_input_tokens: ExactNumber | null;
  readonly total_output_tokens: ExactNumber | null;
  readonly total_reasoning_tokens: ExactNumber | null;
  readonly total_tokens: ExactNumber | null;
  readonly generations_count: number | null;
  readonly quality_status: string | null;
  readonly quality_issues: unknown;
  readonly error_message: string | null;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly run_id: string | null;
  readonly environment: string | null;
  readonly trace_id: string | null;
}

const SHOWN_CHARS = 200;

export const ITEM_COLUMNS = sql`id, item_id, kind, left(title, ${SHOWN_CHARS}) AS title, status, created_at, completed_at, model, prompt_version,
  total_input_tokens, total_output_tokens, total_reasoning_tokens, total_tokens, generations_count, quality_status, quality_issues,
  left(error_message, ${SHOWN_CHARS}) AS error_message, entity_type, entity_id, run_id, environment, trace_id`;

/** One page of items. */
export const listItems = (reader: Reader, projectId: number, filter: Filter): Promise<Page<ItemSummary>> =>
  reader.read({ projectId }, (ask) => readPage<ItemSummary>(ask, { projectId, filter, columns: ITEM_COLUMNS }));

import { RequestError } from "../../base/request-error.ts";
import { countRows } from "../count-rows.ts";
import { conditionsOf, orderOf } from "../filter/conditions.ts";
import { type Page, readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** What every answer says of a request for images. */
interface ImageFacts {
  readonly id: string;
  readonly lesson_id: string | null;
  readonly status: "started" | "completed" | "failed";
  readonly model_used: string | null;
  readonly models_tried: readonly string[] | null;
  readonly total_duration_ms: number | null;
  readonly error_message: string | null;
  readonly created_at: string;
  readonly completed_at: string | null;
}

/** What it belongs to. */
export interface ImageOrigin {
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly run_id: string | null;
  readonly environment: string | null;
  readonly trace_id: string | null;
  readonly span_id: string | null;
}

/** A request for images as lists show it: no request, no answers, no prompts beyond their beginning. */
export interface ImageSummary extends ImageFacts, ImageOrigin {
  readonly attempts: number;
  readonly failed_attempts: number;
  readonly prompt_start: string | null;
}

const SHOWN_CHARS = 200;

export const ORIGIN_COLUMNS = sql`entity_type, entity_id, run_id, environment, trace_id, span_id`;

const SUMMARY = sql`id, lesson_id, status, model_used, models_tried, jsonb_array_length(coalesce(image_generation_attempts, '[]')) AS attempts,
  (SELECT count(*)::int FROM jsonb_array_elements(coalesce(image_generation_attempts, '[]')) AS a WHERE a -> 'success' = 'false') AS failed_attempts,
  total_duration_ms, left(error_message, ${SHOWN_CHARS}) AS error_message,
  left(coalesce(request_data #>> '{prompts,0,prompt}', request_data ->> 'prompt', image_generation_attempts #>> '{0,prompt}'), ${SHOWN_CHARS}) AS prompt_start,
  created_at, completed_at, ${ORIGIN_COLUMNS}`;

export const listImages = (reader: Reader, projectId: number, filter: Filter): Promise<Page<ImageSummary>> =>
  reader.read({ projectId }, (ask) => readPage<ImageSummary>(ask, { projectId, filter, columns: SUMMARY }));

/** A request for images with everything that was logged of it. */
export interface ImageTraceRow extends ImageFacts {
  readonly request_data: unknown;
  readonly response_data: unknown;
  readonly image_generation_attempts: unknown;
}

export const TRACE_COLUMNS = sql`id, lesson_id, status, model_used, models_tried, total_duration_ms, request_data, response_data,
  coalesce(image_generation_attempts, '[]') AS image_generation_attempts, error_message, created_at, completed_at`;

export interface OffsetPage {
  readonly filter: Filter;
  readonly offset: number;
}

/** Whole traces by number of rows to leave out, as the first application asked for them; lists with cursors are `listImages`. */
export const listImageTraces = (
  reader: Reader,
  projectId: number,
  { filter, offset }: OffsetPage,
): Promise<{ readonly traces: readonly ImageTraceRow[]; readonly total: number | null }> =>
  reader.read({ projectId }, async (ask) => {
    const rows = sql`image_traces WHERE project_id = ${projectId} AND (${conditionsOf(filter)})`;
    const { order } = orderOf(filter);
    const traces = await ask<ImageTraceRow>(
      sql`SELECT ${TRACE_COLUMNS} FROM ${rows} ORDER BY ${order} LIMIT ${filter.limit} OFFSET ${offset}`,
    );
    return { traces, total: await countRows(ask, rows) };
  });

const MAX_IDS = 100_000;

/** Ids of all traces that a filter selects. Throws `too_large` beyond what one command may take. */
export const imageIds = (reader: Reader, projectId: number, filter: Filter): Promise<string[]> =>
  reader.read({ projectId }, async (ask) => {
    const rows = await ask<{ id: string }>(
      sql`SELECT id FROM image_traces WHERE project_id = ${projectId} AND (${conditionsOf(filter)}) LIMIT ${MAX_IDS + 1}`,
    );
    if (rows.length > MAX_IDS) throw new RequestError("too_large", `these are more than ${MAX_IDS} traces: narrow it by from and to`);
    return rows.map(({ id }) => id);
  });

import type { RunStatus } from "../../model/run-report.ts";
import { countRows } from "../count-rows.ts";
import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import { type Page, readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** A run as lists show it: no breakdowns. */
export interface RunSummaryRow {
  readonly id: string;
  readonly run_id: string;
  readonly kind: string | null;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly duration_seconds: number | null;
  readonly status: RunStatus;
  readonly exit_code: number | null;
  readonly items_requested: ExactNumber | null;
  readonly items_generated: ExactNumber | null;
  readonly items_evaluated: ExactNumber | null;
  readonly items_approved: ExactNumber | null;
  readonly items_inserted: ExactNumber | null;
  readonly duplicates_found: ExactNumber | null;
  readonly generation_success_rate: number | null;
  readonly approval_rate: number | null;
  readonly overall_success_rate: number | null;
  readonly avg_arbiter_score: number | null;
  readonly total_errors: ExactNumber | null;
  readonly total_api_calls: ExactNumber | null;
  readonly prompt_version: string | null;
  readonly arbiter_config_version: string | null;
  readonly environment: string | null;
  readonly triggered_by: string | null;
  readonly service_name: string | null;
  readonly trace_id: string | null;
}

export const SUMMARY_COLUMNS = sql`id, run_id, kind, started_at, completed_at, duration_seconds, status, exit_code, items_requested, items_generated,
  items_evaluated, items_approved, items_inserted, duplicates_found, generation_success_rate, approval_rate, overall_success_rate, avg_arbiter_score,
  total_errors, total_api_calls, prompt_version, arbiter_config_version, environment, triggered_by, service_name, trace_id`;

/** One page of runs, with the number of all runs that the filter selects; null where they are too many to be counted for a page. */
export const listRuns = (
  reader: Reader,
  projectId: number,
  filter: Filter,
): Promise<Page<RunSummaryRow> & { readonly total: number | null }> =>
  reader.read({ projectId }, async (ask) => {
    const page = await readPage<RunSummaryRow>(ask, { projectId, filter, columns: SUMMARY_COLUMNS });
    const rows = sql`generation_runs WHERE project_id = ${projectId} AND (${conditionsOf(filter)})`;
    return { ...page, total: await countRows(ask, rows) };
  });

import { RequestError } from "../../base/request-error.ts";
import { isUuid } from "../../base/uuid.ts";
import { lossesOf, type RunLosses, type RunSummary } from "../../model/run-report.ts";
import { COST_AMOUNT, COST_CURRENCY, IS_UNPRICED } from "../cost.ts";
import type { ExactNumber } from "../exact.ts";
import type { Ask, Reader } from "../reader.ts";
import { type Fragment, sql } from "../sql.ts";
import { type RunSummaryRow, SUMMARY_COLUMNS } from "./list.ts";

/** A run with its breakdowns. */
export interface RunRow extends RunSummaryRow {
  readonly generation_failures: ExactNumber | null;
  readonly items_rejected: ExactNumber | null;
  readonly exact_duplicates: ExactNumber | null;
  readonly semantic_duplicates: ExactNumber | null;
  readonly duplicate_rate: number | null;
  readonly insertion_failures: ExactNumber | null;
  readonly min_arbiter_score: number | null;
  readonly max_arbiter_score: number | null;
  readonly min_arbiter_score_threshold: number | null;
  readonly provider_metrics: object | null;
  readonly type_metrics: object | null;
  readonly difficulty_metrics: object | null;
  readonly error_summary: object | null;
  readonly closed_by: string | null;
  readonly span_id: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

const DETAIL_COLUMNS = sql`${SUMMARY_COLUMNS}, generation_failures, items_rejected, exact_duplicates, semantic_duplicates, duplicate_rate,
  insertion_failures, min_arbiter_score, max_arbiter_score, min_arbiter_score_threshold, provider_metrics, type_metrics, difficulty_metrics, error_summary,
  closed_by, span_id, created_at, updated_at`;

/** What a run's model calls came to, from the calls that name it. */
export interface RunUsage {
  readonly generations: ExactNumber;
  readonly failed: ExactNumber;
  readonly tokens_total: ExactNumber | null;
  readonly tokens_reasoning: ExactNumber | null;
  /** NULL where the calls are charged in several currencies, which cost_currency calls `mixed`, or none of them has a price. */
  readonly cost_amount: ExactNumber | null;
  readonly cost_currency: string | null;
  readonly unpriced: ExactNumber;
}

export interface RunDetail extends RunRow {
  /** Items lost between two stages. */
  readonly losses: { readonly [K in keyof RunLosses]: number | null };
  /** Counts that contradict each other, in words. */
  readonly inconsistencies: readonly string[];
  readonly usage: RunUsage;
}

/** Some runs by their ids, in the order of `ids`. Throws `not_found` for one that is not there. */
export async function readRuns(ask: Ask, projectId: number, ids: readonly string[]): Promise<RunRow[]> {
  const rows = await ask<RunRow>(sql`SELECT ${DETAIL_COLUMNS} FROM generation_runs WHERE project_id = ${projectId} AND ${isOneOf(ids)}`);
  return ids.map((id) => {
    const found = rows.find((row) => row.id === id.toLowerCase() || row.run_id === id);
    if (found === undefined) throw new RequestError("not_found", "there is no such run");
    return found;
  });
}

/** A run is known by its uuid, and by the id that its application gave it. */
function isOneOf(ids: readonly string[]): Fragment {
  const uuids = ids.filter(isUuid);
  return sql`(id = ANY(${uuids}::uuid[]) OR run_id = ANY(${ids}::text[]))`;
}

/** One run with everything computed from it. */
export const readRun = (reader: Reader, projectId: number, id: string): Promise<RunDetail> =>
  reader.read({ projectId }, async (ask) => {
    const [run] = (await readRuns(ask, projectId, [id])) as [RunRow];
    const [usage] = await ask<RunUsage>(sql`
      SELECT count(*) AS generations, count(*) FILTER (WHERE generation_status IN ('failed', 'timeout')) AS failed, sum(tokens_total) AS tokens_total,
        sum(tokens_reasoning) AS tokens_reasoning, ${COST_AMOUNT} AS cost_amount, ${COST_CURRENCY} AS cost_currency,
        count(*) FILTER (WHERE ${IS_UNPRICED}) AS unpriced
      FROM generation_logs WHERE project_id = ${projectId} AND run_id = ${run.run_id}`);
    const figures = figuresOf(run);
    return { ...run, losses: withNulls(lossesOf(figures)), inconsistencies: inconsistenciesOf(figures), usage: usage! };
  });

/** The counts as numbers; unknown ones are absent. */
const figuresOf = (run: RunRow): RunSummary =>
  Object.fromEntries(
    Object.entries(run).flatMap(([name, value]) =>
      /^(items_|duplicates_|exact_|semantic_|generation_failures|insertion_failures)/.test(name) && value !== null
        ? [[name, Number(value)]]
        : [],
    ),
  ) as RunSummary;

const withNulls = (losses: RunLosses): RunDetail["losses"] =>
  Object.fromEntries(Object.entries(losses).map(([stage, lost]) => [stage, (lost as number | undefined) ?? null])) as RunDetail["losses"];

/** Stages of the funnel, each of which can hold no more than the one before. */
const FUNNEL = ["items_requested", "items_generated", "items_evaluated", "items_approved", "items_inserted"] as const;

/** Where the counts of a run cannot all be true. */
export function inconsistenciesOf(figures: RunSummary): string[] {
  const known = FUNNEL.filter((stage) => figures[stage] !== undefined);
  const growing = known.slice(1).flatMap((stage, i) => {
    const before = known[i]!;
    return figures[stage]! > figures[before]! ? [`${stage} (${figures[stage]}) is more than ${before} (${figures[before]})`] : [];
  });
  const { items_evaluated: evaluated, items_approved: approved, items_rejected: rejected } = figures;
  const parts = evaluated !== undefined && approved !== undefined && rejected !== undefined && approved + rejected !== evaluated;
  return [
    ...growing,
    ...(parts ? [`items_approved (${approved}) and items_rejected (${rejected}) are not items_evaluated (${evaluated})`] : []),
  ];
}

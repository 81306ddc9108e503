import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Ask, Reader } from "../reader.ts";
import { type Fragment, list, name, sql } from "../sql.ts";
import { readTrends, TREND_METRICS, TREND_RULE, type Trend, type TrendMetric } from "./trend.ts";

/** Totals and means over finished runs; shares are of the sums, so that a large run counts for more than a small one. */
export interface RunTotals {
  readonly runs: ExactNumber;
  readonly running: ExactNumber;
  readonly succeeded: ExactNumber;
  readonly partly_failed: ExactNumber;
  readonly failed: ExactNumber;
  readonly items_requested: ExactNumber | null;
  readonly items_generated: ExactNumber | null;
  readonly items_evaluated: ExactNumber | null;
  readonly items_approved: ExactNumber | null;
  readonly items_inserted: ExactNumber | null;
  readonly generation_success_rate: number | null;
  readonly approval_rate: number | null;
  readonly overall_success_rate: number | null;
  readonly avg_arbiter_score: number | null;
  readonly min_arbiter_score: number | null;
  readonly max_arbiter_score: number | null;
  readonly avg_duration_seconds: number | null;
  readonly median_duration_seconds: number | null;
  readonly seconds_per_item: number | null;
  readonly total_api_calls: ExactNumber | null;
  readonly api_calls_per_inserted: number | null;
}

export interface ProviderComparison {
  readonly provider: string;
  readonly runs: ExactNumber;
  readonly generated: ExactNumber | null;
  readonly api_calls: ExactNumber | null;
  readonly failures: ExactNumber | null;
  readonly evaluated: ExactNumber | null;
  readonly approved: ExactNumber | null;
  readonly rejected: ExactNumber | null;
  readonly approval_rate: number | null;
  readonly failure_rate: number | null;
  readonly api_calls_per_generated: number | null;
}

export interface ErrorCategory {
  readonly category: string;
  /** Errors of all runs. */
  readonly errors: ExactNumber;
  /** Runs in which it happened. */
  readonly runs: ExactNumber;
  /** Of those, runs that failed altogether or in part. */
  readonly failed_runs: ExactNumber;
}

export interface VersionComparison {
  readonly prompt_version: string | null;
  readonly runs: ExactNumber;
  readonly items_evaluated: ExactNumber | null;
  readonly items_approved: ExactNumber | null;
  readonly approval_rate: number | null;
  readonly overall_success_rate: number | null;
  readonly avg_arbiter_score: number | null;
  readonly first_started_at: string;
}

export interface RunStats extends RunTotals {
  readonly providers: readonly ProviderComparison[];
  readonly errors: readonly ErrorCategory[];
  readonly prompt_versions: readonly VersionComparison[];
  readonly trends: Readonly<Record<TrendMetric, Trend>>;
  readonly trend_rule: string;
}

/** A part of a whole; NULL where the whole is 0 or unknown, or a number is out of all reason: breakdowns hold whatever an application tells. */
const share = (part: Fragment, whole: Fragment): Fragment =>
  sql`CASE WHEN abs(${part}) <= 1e100 AND abs(${whole}) BETWEEN 1e-100 AND 1e100 THEN ${part}::float8 / ${whole}::float8 END`;

/** Everything that is said of many runs at once. */
export const runStats = (reader: Reader, projectId: number, filter: Filter): Promise<RunStats> =>
  reader.read({ projectId }, async (ask) => {
    const rows = sql`generation_runs WHERE project_id = ${projectId} AND (${conditionsOf(filter)})`;
    return {
      ...(await totals(ask, rows)),
      providers: await providers(ask, rows),
      errors: await errors(ask, rows),
      prompt_versions: await versions(ask, rows),
      trends: await readTrends(ask, { projectId, filter }, Object.keys(TREND_METRICS) as TrendMetric[]),
      trend_rule: TREND_RULE,
    };
  });

/** The same over many rows: of those alone that tell of both. */
const both = (part: Fragment, whole: Fragment): Fragment =>
  share(sql`sum(${part}) FILTER (WHERE ${whole} IS NOT NULL)`, sql`sum(${whole}) FILTER (WHERE ${part} IS NOT NULL)`);

async function totals(ask: Ask, rows: Fragment): Promise<RunTotals> {
  const [row] = await ask<RunTotals>(sql`
    SELECT count(*) AS runs, count(*) FILTER (WHERE status = 'running') AS running, count(*) FILTER (WHERE status = 'success') AS succeeded,
      count(*) FILTER (WHERE status = 'partial_failure') AS partly_failed, count(*) FILTER (WHERE status = 'failed') AS failed,
      sum(items_requested) AS items_requested, sum(items_generated) AS items_generated, sum(items_evaluated) AS items_evaluated,
      sum(items_approved) AS items_approved, sum(items_inserted) AS items_inserted,
      ${both(sql`items_generated`, sql`items_requested`)} AS generation_success_rate, ${both(sql`items_approved`, sql`items_evaluated`)} AS approval_rate,
      ${both(sql`items_inserted`, sql`items_requested`)} AS overall_success_rate,
      avg(avg_arbiter_score) AS avg_arbiter_score, min(min_arbiter_score) AS min_arbiter_score, max(max_arbiter_score) AS max_arbiter_score,
      avg(duration_seconds) AS avg_duration_seconds, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) AS median_duration_seconds,
      sum(duration_seconds) FILTER (WHERE items_requested IS NOT NULL) / nullif(sum(items_requested) FILTER (WHERE duration_seconds IS NOT NULL), 0)::float8 AS seconds_per_item,
      sum(total_api_calls) AS total_api_calls, ${both(sql`total_api_calls`, sql`items_inserted`)} AS api_calls_per_inserted
    FROM ${rows}`);
  return row!;
}

/** Rows of provider_counts in their order (migration 0027). */
const PROVIDER_METRICS = ["generated", "api_calls", "failures", "evaluated", "approved", "rejected"];

/** Best first. A provider without evaluations comes last: nothing is known of its quality. */
function providers(ask: Ask, rows: Fragment): Promise<ProviderComparison[]> {
  const counts = list(PROVIDER_METRICS.map((metric, i) => sql`unnest(provider_counts[${i + 1}::int:${i + 1}::int]) AS ${name(metric)}`));
  const sums = list(PROVIDER_METRICS.map(name).map((metric) => sql`sum(${metric}) AS ${metric}`));
  return ask<ProviderComparison>(sql`
    SELECT provider, count(*) AS runs, ${sums}, ${both(sql`approved`, sql`evaluated`)} AS approval_rate, ${both(sql`failures`, sql`api_calls`)} AS failure_rate,
      ${both(sql`api_calls`, sql`generated`)} AS api_calls_per_generated
    FROM (
      SELECT provider, generated, api_calls, failures, coalesce(evaluated, approved + rejected) AS evaluated, approved, rejected
      FROM (SELECT unnest(provider_names) AS provider, ${counts} FROM ${rows}) AS told
    ) AS counted GROUP BY provider ORDER BY approval_rate DESC NULLS LAST, sum(approved) DESC NULLS LAST, provider LIMIT 1000`);
}

const errors = (ask: Ask, rows: Fragment): Promise<ErrorCategory[]> =>
  ask<ErrorCategory>(sql`
    SELECT category, sum(n) AS errors, count(*) AS runs, count(*) FILTER (WHERE status IN ('failed', 'partial_failure')) AS failed_runs
    FROM (
      SELECT status, category, CASE WHEN jsonb_typeof(number) = 'number' THEN number::numeric END AS n
      FROM (SELECT status, error_summary -> 'by_category' AS categories FROM ${rows} AND jsonb_typeof(error_summary -> 'by_category') = 'object') AS runs,
        jsonb_each(categories) AS c (category, number)
    ) AS counted WHERE n > 0 GROUP BY category ORDER BY errors DESC, category LIMIT 1000`);

const versions = (ask: Ask, rows: Fragment): Promise<VersionComparison[]> =>
  ask<VersionComparison>(sql`
    SELECT prompt_version, count(*) AS runs, sum(items_evaluated) AS items_evaluated, sum(items_approved) AS items_approved,
      ${both(sql`items_approved`, sql`items_evaluated`)} AS approval_rate, ${both(sql`items_inserted`, sql`items_requested`)} AS overall_success_rate,
      avg(avg_arbiter_score) AS avg_arbiter_score, min(started_at) AS first_started_at
    FROM ${rows} AND status <> 'running' GROUP BY prompt_version ORDER BY min(started_at), prompt_version LIMIT 1000`);

import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Ask, Reader } from "../reader.ts";
import { list, name, sql } from "../sql.ts";

/** Metrics of a run that can have a trend, and whether more of it is better. */
export const TREND_METRICS = {
  avg_arbiter_score: "higher",
  approval_rate: "higher",
  overall_success_rate: "higher",
  generation_success_rate: "higher",
  duplicate_rate: "lower",
  duration_seconds: "lower",
} as const;

export type TrendMetric = keyof typeof TREND_METRICS;
export type TrendDirection = "improving" | "declining" | "flat" | "too_few";

/** Fewer runs than this show no trend. */
const MIN_RUNS = 5;
/** The slope must be this many times its standard error: about 95 of 100 changes this clear are no accident. */
const MIN_ERRORS = 2;
/** And over the whole range the metric must change by this share of its mean. */
const MIN_CHANGE = 0.01;

export const TREND_RULE =
  `A straight line is fitted through the metric of all finished runs of the range, by their start (least squares). It is a trend when its slope is more than ` +
  `${MIN_ERRORS} times its standard error and changes the metric by at least ${MIN_CHANGE * 100} % of its mean from the first run to the last; else flat. ` +
  `Under ${MIN_RUNS} runs: too_few. Improving is up for scores and rates, down for duplicate_rate and duration_seconds.`;

/** Sums of a linear regression, as PostgreSQL's regr_* functions give them; x in days. */
export interface RegressionSums {
  readonly count: number;
  readonly mean: number;
  readonly sxx: number;
  readonly syy: number;
  readonly sxy: number;
  /** Days between the first and the last run. */
  readonly days: number;
}

export interface Trend {
  readonly direction: TrendDirection;
  readonly runs: number;
  readonly mean: number | null;
  readonly change_per_day: number | null;
  /** What the line says the metric changed by from the first run to the last. */
  readonly change: number | null;
}

/** Applies TREND_RULE. */
export function trendOf({ count, mean, sxx, syy, sxy, days }: RegressionSums, better: "higher" | "lower"): Trend {
  if (count < MIN_RUNS || sxx <= 0) {
    return { direction: "too_few", runs: count, mean: count === 0 ? null : mean, change_per_day: null, change: null };
  }
  const slope = sxy / sxx;
  const residual = Math.max(0, syy - (sxy * sxy) / sxx);
  const error = Math.sqrt(residual / (count - 2) / sxx);
  const change = slope * days;
  const clear = Math.abs(slope) > MIN_ERRORS * error && Math.abs(change) >= MIN_CHANGE * Math.abs(mean) && change !== 0;
  const rising = change > 0 === (better === "higher");
  return { direction: clear ? (rising ? "improving" : "declining") : "flat", runs: count, mean, change_per_day: slope, change };
}

/** As the database gives them: NULL where no run has the metric. */
type SumsRow = { readonly [K in keyof RegressionSums]: ExactNumber | null };

/** The trends of some metrics over the runs that a filter selects, in one pass over them. */
export async function readTrends<M extends TrendMetric>(
  ask: Ask,
  { projectId, filter }: { projectId: number; filter: Filter },
  metrics: readonly M[],
): Promise<Record<M, Trend>> {
  const sums = list(
    metrics.map((metric) => {
      const y = name(metric);
      return sql`json_build_object('count', regr_count(${y}, day), 'mean', regr_avgy(${y}, day), 'sxx', regr_sxx(${y}, day), 'syy', regr_syy(${y}, day),
        'sxy', regr_sxy(${y}, day), 'days', max(day) FILTER (WHERE ${y} IS NOT NULL) - min(day) FILTER (WHERE ${y} IS NOT NULL)) AS ${y}`;
    }),
  );
  const [row] = await ask<Record<M, SumsRow>>(sql`
    SELECT ${sums} FROM (
      SELECT ${list(metrics.map(name))}, date_part('epoch', started_at) / 86400 AS day FROM generation_runs
      WHERE project_id = ${projectId} AND status <> 'running' AND (${conditionsOf(filter)})
    ) AS runs`);
  const trends = metrics.map((metric) => [metric, trendOf(numbersOf(row![metric]), TREND_METRICS[metric])]);
  return Object.fromEntries(trends) as Record<M, Trend>;
}

const numbersOf = (row: SumsRow): RegressionSums => ({
  count: Number(row.count ?? 0),
  mean: Number(row.mean ?? 0),
  sxx: Number(row.sxx ?? 0),
  syy: Number(row.syy ?? 0),
  sxy: Number(row.sxy ?? 0),
  days: Number(row.days ?? 0),
});

/** One day of a trend. */
export interface TrendDay {
  readonly day: string;
  readonly runs: ExactNumber;
  readonly value: number | null;
}

export interface TrendAnswer extends Trend {
  readonly metric: TrendMetric;
  readonly rule: string;
  /** Means per day in UTC. */
  readonly days: readonly TrendDay[];
}

/** The trend with its days, for a chart. */
export const trendByDay = (reader: Reader, projectId: number, question: { filter: Filter; metric: TrendMetric }): Promise<TrendAnswer> =>
  reader.read({ projectId }, async (ask) => {
    const { filter, metric } = question;
    const trend = (await readTrends(ask, { projectId, filter }, [metric]))[metric];
    const days = await ask<TrendDay>(sql`
      SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*) AS runs, avg(${name(metric)}) AS value
      FROM generation_runs WHERE project_id = ${projectId} AND status <> 'running' AND ${name(metric)} IS NOT NULL AND (${conditionsOf(filter)})
      GROUP BY 1 ORDER BY 1`);
    return { metric, rule: TREND_RULE, ...trend, days };
  });

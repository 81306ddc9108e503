import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { name, sql } from "../sql.ts";
import { type RunSummaryRow, SUMMARY_COLUMNS } from "./list.ts";
import type { TrendMetric } from "./trend.ts";

export interface StreakQuestion {
  readonly filter: Filter;
  readonly metric: TrendMetric;
  readonly below: number;
  /** So many runs one after the other. */
  readonly runs: number;
}

export interface Streak {
  readonly metric: TrendMetric;
  readonly below: number;
  readonly runs: number;
  /** Whether the last `runs` finished runs all lie below. */
  readonly reached: boolean;
  /** How many of the last runs, newest first, lie below without a break; counted up to 1,000. */
  readonly length: number;
  /** The runs of the streak, newest first, at most `runs` of them. */
  readonly data: readonly RunSummaryRow[];
}

const MAX_LENGTH = 1_000;

/** How many of the last finished runs, one after the other, lie below a bound. A run without the metric is passed over: no data is not zero. */
export const streakBelow = (reader: Reader, projectId: number, question: StreakQuestion): Promise<Streak> =>
  reader.read({ projectId }, async (ask) => {
    const { filter, metric, below, runs } = question;
    const rows = await ask<RunSummaryRow & { readonly low: boolean }>(sql`
      SELECT ${SUMMARY_COLUMNS}, ${name(metric)} < ${below}::float8 AS low FROM generation_runs
      WHERE project_id = ${projectId} AND status <> 'running' AND ${name(metric)} IS NOT NULL AND (${conditionsOf(filter)})
      ORDER BY started_at DESC, id DESC LIMIT ${MAX_LENGTH}`);
    const broken = rows.findIndex(({ low }) => !low);
    const length = broken === -1 ? rows.length : broken;
    return {
      metric,
      below,
      runs,
      reached: length >= runs,
      length,
      data: rows.slice(0, Math.min(length, runs)).map(({ low: _low, ...row }) => row),
    };
  });

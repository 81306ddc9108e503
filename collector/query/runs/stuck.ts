import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { type RunSummaryRow, SUMMARY_COLUMNS } from "./list.ts";

export interface StuckRun extends RunSummaryRow {
  readonly running_seconds: number;
  /** How long a run of its kind may run before it counts as stuck. */
  readonly allowed_seconds: number;
  /** Median of the finished runs of its kind; NULL where there is none. */
  readonly median_seconds: number | null;
  /** Last word of it. */
  readonly updated_at: string;
}

export const STUCK_FACTOR = 3;
/** The least time that any run has, where the asker names none. */
export const STUCK_AT_LEAST_SECONDS = 600;
/** A kind without any finished run has this much. */
const WITHOUT_HISTORY_SECONDS = 3_600;
/** Finished runs of a kind that its median is taken of. */
const HISTORY = 100;

export const STUCK_RULE =
  `A run is stuck when it has been running for longer than ${STUCK_FACTOR} times the median of the last ${HISTORY} finished runs of its kind, and for longer than at_least ` +
  `(${STUCK_AT_LEAST_SECONDS} s unless told). A kind without finished runs has ${WITHOUT_HISTORY_SECONDS} s, or at_least where that is more.`;

/** Runs that never ended, longest running first. */
export const stuckRuns = (reader: Reader, projectId: number, atLeastSeconds = STUCK_AT_LEAST_SECONDS): Promise<StuckRun[]> =>
  reader.read({ projectId }, (ask) =>
    ask<StuckRun>(sql`
      SELECT * FROM (
        SELECT ${SUMMARY_COLUMNS}, updated_at, extract(epoch FROM clock_timestamp() - started_at)::float8 AS running_seconds,
          h.median AS median_seconds, greatest(coalesce(${STUCK_FACTOR} * h.median, ${WITHOUT_HISTORY_SECONDS}), ${atLeastSeconds}::float8) AS allowed_seconds
        FROM generation_runs r LEFT JOIN LATERAL (
          SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) AS median FROM (
            SELECT duration_seconds FROM generation_runs f WHERE f.project_id = ${projectId} AND f.status IN ('success', 'partial_failure')
              AND f.kind IS NOT DISTINCT FROM r.kind AND f.duration_seconds IS NOT NULL ORDER BY f.started_at DESC LIMIT ${HISTORY}
          ) AS lately
        ) AS h ON TRUE
        WHERE r.project_id = ${projectId} AND r.status = 'running'
      ) AS running WHERE running_seconds > allowed_seconds ORDER BY running_seconds DESC LIMIT 1000`),
  );

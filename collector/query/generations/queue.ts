import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** How the reviews stand. */
export interface ReviewProgress {
  readonly pending_review: number;
  readonly approved: number;
  readonly rejected: number;
  /** Pending ones that somebody looks at right now. */
  readonly claimed: number;
}

const UNCLAIMED = sql`NOT EXISTS (SELECT FROM review_claims c WHERE c.project_id = generation_logs.project_id AND c.trace_id = generation_logs.trace_id
  AND c.span_id = generation_logs.span_id AND c.expires_at > now()`;

/** Calls that wait for a review and that nobody else has claimed, the oldest first. */
export function waitingReviews(
  reader: Reader,
  projectId: number,
  { filter, reviewer, limit }: { readonly filter: Filter; readonly reviewer: string; readonly limit: number },
): Promise<string[]> {
  return reader.read({ projectId }, async (ask) => {
    const rows = await ask<{ id: string }>(sql`
      SELECT id FROM generation_logs WHERE project_id = ${projectId} AND quality_status = 'pending_review' AND (${conditionsOf(filter)})
        AND ${UNCLAIMED} AND c.claimed_by <> ${reviewer}) ORDER BY start_time, trace_id, span_id LIMIT ${limit}`);
    return rows.map(({ id }) => id);
  });
}

export function reviewProgress(reader: Reader, projectId: number, filter: Filter): Promise<ReviewProgress> {
  return reader.read({ projectId }, async (ask) => {
    const [progress] = await ask<ReviewProgress>(sql`
      SELECT count(*) FILTER (WHERE quality_status = 'pending_review') AS pending_review, count(*) FILTER (WHERE quality_status = 'approved') AS approved,
        count(*) FILTER (WHERE quality_status = 'rejected') AS rejected,
        count(*) FILTER (WHERE quality_status = 'pending_review' AND NOT ${UNCLAIMED})) AS claimed
      FROM generation_logs WHERE project_id = ${projectId} AND quality_status IS NOT NULL AND (${conditionsOf(filter)})`);
    return progress ?? { pending_review: 0, approved: 0, rejected: 0, claimed: 0 };
  });
}

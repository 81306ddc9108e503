import type { TransactionSql } from "postgres";
import type { ScoreKey } from "./facts.ts";

export interface MovedScore {
  readonly projectId: number;
  /** Where it stands so far. */
  readonly from: ScoreKey;
  readonly to: { readonly traceId: string; readonly spanId: string };
}

const TOLD = "name, value, label, explanation, source, scored_by, received_at, response_id";

/**
 * Puts a score with another span, or notes that it stands with the right one, and keeps where it was told. One that is sent again afterwards meets itself
 * there.
 */
export async function moveScore(tx: TransactionSql, schema: string, { projectId, from, to }: MovedScore): Promise<void> {
  const table = tx`${tx(schema)}.generation_scores`;
  const told = tx.unsafe(TOLD);
  const [row] = await tx<{ told: object }[]>`
    DELETE FROM ${table} WHERE project_id = ${projectId} AND trace_id = ${from.traceId} AND span_id = ${from.spanId}
      AND "time" = ${from.time}::text::timestamptz AND id = ${from.id} RETURNING to_jsonb(generation_scores) AS told`;
  if (row === undefined) return;
  await tx`
    INSERT INTO ${table} (project_id, trace_id, span_id, "time", id, told_trace_id, told_span_id, ${told})
    SELECT ${projectId}, ${to.traceId}, ${to.spanId}, "time", id, coalesce(told_trace_id, trace_id), coalesce(told_span_id, span_id), ${told}
    FROM jsonb_populate_record(NULL::${table}, ${tx.json(row.told as never)}) ON CONFLICT DO NOTHING`;
}

import type { Sql } from "postgres";
import { USAGE_OF_WRAPPER } from "../dialects/wrapper-usage.ts";
import { MARK_CALL, MARK_SECOND_CALL } from "../rows/trace-marks.ts";
import { LOOKUP_SETTINGS, type RowsOfTrace, rowsOfTrace, type TraceRef, type Tx, windowOf } from "./look-up.ts";
import { IS_CONTENT_EVENT, SPEAKS_OF_ANOTHER } from "./read-around.ts";
import { SIGN_OF_CALLS } from "./read-calls.ts";

/** A trace whose rows are in line as they are. */
export interface PlainTrace extends Pick<TraceRef, "projectId" | "traceId"> {
  /** Of its calls; undefined where it has none (yet). */
  readonly sign: number | undefined;
}

/** Whether it is worth asking whether a trace is plain: nothing but calls is known of it. */
export const mayBePlain = (bits: number): boolean => (bits & ~(MARK_CALL | MARK_SECOND_CALL)) === 0;

/** A call that nothing was filled into, and that tells of nothing but itself: it ended well at its first try, told its tokens, and is part of no item. */
const IS_PLAIN = `generation_status = 'success' AND filled_from IS NULL AND own_values IS NULL AND item_id IS NULL AND coalesce(attempts_count, 1) <= 1
  AND tokens_total IS NOT NULL AND coalesce(tokens_prompt, 0) + coalesce(tokens_completion, 0) > 0
  AND NOT starts_with(coalesce(operation_name, ''), 'image') AND coalesce(model_parameters ->> 'output.type' <> 'image', true)
  AND coalesce(additional_metadata -> '${USAGE_OF_WRAPPER}' <> 'true', true)`;

/** Calls of more than an ordinary trace are compared with more care. */
const MAX_CALLS = 1_000;

/**
 * Those of the traces of which the database itself can say that looking at them would change nothing and wait for nothing: most traces have several calls beside each
 * other and nothing that speaks of them, and reading all that is known of them costs six times as much. A trace is told here only when
 * - it has no records of ours, requests over HTTP, log events, evaluations, images, or rows set aside,
 * - each of its calls is plain, and no span lies below a call, so that none wraps another,
 * - no two calls tell of the same response or the same tokens, so that no span which is still missing can make two of them one.
 */
export async function plainTraces(
  { sql, schema }: { readonly sql: Sql; readonly schema: string },
  traces: readonly TraceRef[],
): Promise<PlainTrace[]> {
  if (traces.length === 0) return [];
  return sql.begin("READ ONLY", async (tx) => {
    await tx.unsafe(LOOKUP_SETTINGS);
    const rows = await select(tx, schema, traces);
    return rows.map((row) => {
      const { projectId, traceId } = traces[Number(row["place"]) - 1]!;
      return { projectId, traceId, sign: row["sign"] === null ? undefined : Number(row["sign"]) };
    });
  });
}

function select(tx: Tx, schema: string, traces: readonly TraceRef[]) {
  const window = windowOf(traces);
  const { projects, ids } = window;
  // A scalar subquery is looked up for each trace; EXISTS may become one search through a whole table.
  const isMissing = (table: RowsOfTrace["table"], condition: string) =>
    tx`(SELECT true FROM ${rowsOfTrace(tx, { schema, window, table })} AND (${tx.unsafe(condition)}) ORDER BY t.span_id LIMIT 1) IS NULL`;
  return tx`
    SELECT k.place::int AS place, c.sign FROM unnest(${[...projects]}::int[], ${[...ids]}::text[]) WITH ORDINALITY AS k (project_id, trace_id, place),
      LATERAL (
        SELECT count(*) AS calls, ${tx.unsafe(SIGN_OF_CALLS)} AS sign, array_agg(span_id) AS span_ids,
          coalesce(bool_and(is_plain), true) AND count(DISTINCT response_id) = count(response_id) AND count(DISTINCT tokens) = count(*)
            AND (array_agg(parent_span_id) && array_agg(span_id)) IS NOT TRUE AS are_plain
        FROM (
          SELECT span_id, parent_span_id, received_at, generation_status, response_id, concat(coalesce(tokens_prompt, 0), '/', coalesce(tokens_completion, 0)) AS tokens,
            ${tx.unsafe(IS_PLAIN)} AS is_plain
          FROM ${rowsOfTrace(tx, { schema, window, table: "generation_logs" })} ORDER BY t.span_id OFFSET 0
        ) AS t
      ) AS c
    WHERE CASE WHEN c.are_plain AND c.calls <= ${MAX_CALLS} THEN
      ${isMissing("generation_twins", "true")}
      AND ${isMissing("generation_scores", "source = 'evaluation'")}
      AND ${isMissing("log_records", IS_CONTENT_EVENT)}
      AND ${isMissing("outputs", "direction = 'output' AND modality = 'image'")}
      AND ${isMissing("spans", `parent_span_id = ANY (c.span_ids) OR (${SPEAKS_OF_ANOTHER})`)}
    END`;
}

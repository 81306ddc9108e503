import type { PendingQuery, Row, TransactionSql } from "postgres";

/** A trace to look at. The times bound its rows, so that only the partitions around it are read. */
export interface TraceRef {
  readonly projectId: number;
  readonly traceId: string;
  readonly fromMillis: number;
  readonly toMillis: number;
}

export const traceName = ({ projectId, traceId }: Pick<TraceRef, "projectId" | "traceId">): string => `${projectId}/${traceId}`;

export type Tx = TransactionSql;
export type Rows = readonly Record<string, unknown>[];

/** Rows of one trace lie within this of each other; what is further apart is left as it is. */
const MARGIN_MS = 24 * 3600 * 1000;

export const byTrace = (rows: Rows): Map<string, Record<string, unknown>[]> =>
  Map.groupBy(rows, (row) => traceName({ projectId: Number(row["project_id"]), traceId: String(row["trace_id"]) }));

/** Traces and the times between which their rows lie. */
export interface Window {
  readonly projects: readonly number[];
  readonly ids: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

export const idsOf = (traces: readonly TraceRef[]): Pick<Window, "projects" | "ids"> => ({
  projects: traces.map(({ projectId }) => projectId),
  ids: traces.map(({ traceId }) => traceId),
});

export function windowOf(traces: readonly TraceRef[]): Window {
  return {
    ...idsOf(traces),
    from: new Date(Math.min(...traces.map(({ fromMillis }) => fromMillis)) - MARGIN_MS),
    to: new Date(Math.max(...traces.map(({ toMillis }) => toMillis)) + MARGIN_MS),
  };
}

/** For lookups by key: no table is read as a whole, whatever is known or not known of it. */
export const LOOKUP_SETTINGS = `SET LOCAL synchronous_commit = on; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
  SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off; SET LOCAL jit = off`;

export interface RowsOfTrace {
  readonly schema: string;
  readonly window: Pick<Window, "from" | "to">;
  readonly table: "generation_logs" | "generation_twins" | "generation_scores" | "spans" | "log_records" | "outputs";
}

/** Their time is a moment; that of the others has a beginning and an end. */
const MOMENTS: ReadonlySet<string> = new Set(["generation_scores", "log_records"]);

/**
 * What stands behind FROM: the rows `t` of one trace `k` within the window. The times are there to leave out partitions, and written so that no index can use
 * them: the planner knows nothing of the newest rows, often takes an index by time instead of the key, and reads all that came lately for each trace. What
 * follows should be ordered by span, since only the key's index has that order: a plan made while a partition was empty takes any index of the project otherwise,
 * and reads the whole project. An evaluation without a time of its own stands at the epoch, and is within every window.
 */
export function rowsOfTrace(tx: Tx, { schema, window: { from, to }, table }: RowsOfTrace): PendingQuery<Row[]> {
  const time = tx`t.${tx(MOMENTS.has(table) ? "time" : "start_time")}`;
  const untimed = table === "generation_scores" ? tx`OR ${time} = 'epoch'` : tx``;
  return tx`${tx(schema)}.${tx(table)} t WHERE t.project_id = k.project_id AND t.trace_id = k.trace_id
    AND (((${time} >= ${from} OR ${time} = ${from}) AND (${time} <= ${to} OR ${time} = ${to})) ${untimed})`;
}

interface Lookup extends RowsOfTrace {
  readonly window: Window;
  /** Columns and conditions over the row `t`. */
  readonly columns: string;
  readonly condition?: string;
  /** Only rows of these spans, one for each of the window's ids. */
  readonly spans?: readonly string[];
  readonly order?: string;
}

/** Rows of the window's traces, each trace looked up for itself. */
export function lookUp(tx: Tx, { columns, condition = "true", spans, order = "", ...rows }: Lookup): Promise<Rows> {
  const { projects, ids } = rows.window;
  const given =
    spans === undefined
      ? tx`unnest(${[...projects]}::int[], ${[...ids]}::text[]) AS given (project_id, trace_id)`
      : tx`unnest(${[...projects]}::int[], ${[...ids]}::text[], ${[...spans]}::text[]) AS given (project_id, trace_id, span_id)`;
  const ofSpan = spans === undefined ? tx`` : tx`AND t.span_id = k.span_id`;
  return tx`
    SELECT t.* FROM (SELECT DISTINCT * FROM ${given}) AS k,
      LATERAL (SELECT project_id, trace_id, ${tx.unsafe(columns)} FROM ${rowsOfTrace(tx, rows)}
          AND (${tx.unsafe(condition)}) ${ofSpan} ORDER BY t.span_id OFFSET 0) AS t ${tx.unsafe(order)}`;
}

export const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
export const number = (value: unknown): number | undefined => (value === null || value === undefined ? undefined : Number(value));

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

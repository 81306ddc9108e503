import type { Fragment, TransactionSql } from "postgres";
import { RUN_BREAKDOWNS, RUN_REPORT_COLUMNS, RUN_TEXTS, RUN_TIMES } from "../model/run-report.ts";
import type { RunRow } from "./runs.ts";
import { json, listOf, shortText } from "./sql-values.ts";

type Tx = TransactionSql;

export interface RunWrite {
  readonly schema: string;
  readonly projectId: number;
  readonly traceId: string;
  readonly run: RunRow;
}

const TEXTS: ReadonlySet<string> = new Set([...RUN_TEXTS, "status"]);
const TIMES: ReadonlySet<string> = new Set(RUN_TIMES);
const BREAKDOWNS: ReadonlySet<string> = new Set(RUN_BREAKDOWNS);
/** Columns that say how far the run is: all of one record or all of the other. */
const OF_ONE_RECORD: ReadonlySet<string> = new Set(["status", "completed_at", "closed_by", "trace_id", "span_id"]);

/** A finished run stands above one that an operator closed, and that above a running one; of two alike the later one, then the greater ids. */
const standing = (row: string): string =>
  `(CASE WHEN ${row}.status = 'running' THEN 0 WHEN ${row}.closed_by = 'operator' THEN 1 ELSE 2 END,
    coalesce(${row}.completed_at, ${row}.started_at), coalesce(${row}.trace_id, ''), coalesce(${row}.span_id, ''))`;

/**
 * Writes what the records of one span say about a run. Several may tell of the same run (another trace, another process, the HTTP API): the one that stands
 * higher wins column by column, and the other fills in what it leaves open, so that their order does not matter.
 */
export async function writeRun(tx: Tx, { schema, projectId, traceId, run }: RunWrite): Promise<void> {
  const { report } = run;
  const values: (readonly [string, Fragment])[] = RUN_REPORT_COLUMNS.map((column) => {
    const value = report[column];
    if (BREAKDOWNS.has(column)) return [column, json(tx, value)];
    if (TIMES.has(column)) return [column, tx`${(value as string | undefined) ?? null}::text::timestamptz`];
    return [column, TEXTS.has(column) ? tx`${shortText(value)}::text` : tx`${(value as number | undefined) ?? null}`];
  });
  values.push(["closed_by", tx`${report.status === "running" ? null : "report"}::text`]);
  values.push(["trace_id", tx`${traceId}`], ["span_id", tx`${run.spanId}`]);
  const names = values.map(([name]) => name);
  const list = listOf(
    tx,
    values.map(([, value]) => value),
  );
  const merged = (name: string): string => {
    const wins = OF_ONE_RECORD.has(name) ? `excluded.${name}` : `coalesce(excluded.${name}, t.${name})`;
    const loses = OF_ONE_RECORD.has(name) ? `t.${name}` : `coalesce(t.${name}, excluded.${name})`;
    return `CASE WHEN ${standing("excluded")} >= ${standing("t")} THEN ${wins} ELSE ${loses} END`;
  };
  const columns = tx.unsafe(names.join(", "));
  const now = new Date();
  const assigned = tx.unsafe(names.map((name) => `${name} = ${merged(name)}`).join(", "));
  const [stored, changed] = [tx.unsafe(names.map((name) => `t.${name}`).join(", ")), tx.unsafe(names.map(merged).join(", "))];
  await tx`
    INSERT INTO ${tx(schema)}.generation_runs AS t (project_id, id, run_id, created_at, updated_at, ${columns})
    VALUES (${projectId}, ${run.id}, ${shortText(run.runId)}, ${now}, ${now}, ${list})
    ON CONFLICT (project_id, id) DO UPDATE SET ${assigned}, updated_at = excluded.updated_at
    WHERE (${stored}) IS DISTINCT FROM (${changed})`;
}

/** Gives the run's id to all calls of its trace that name none: where they are too many to be looked at one by one. */
export async function nameRunOfCalls(tx: Tx, { schema, projectId, traceId, run }: RunWrite): Promise<void> {
  await tx`
    UPDATE ${tx(schema)}.generation_logs SET run_id = ${shortText(run.runId)},
      filled_from = coalesce(filled_from, '{}') || ${JSON.stringify({ run: `above:${run.spanId}` })}::text::jsonb
    WHERE project_id = ${projectId} AND trace_id = ${traceId} AND run_id IS NULL`;
}

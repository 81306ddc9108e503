import type { Sql, TransactionSql } from "postgres";
import { arrivalWindowSeconds } from "./arrival-window.ts";

export interface LatestOptions {
  readonly schema: string;
  readonly projectId: number;
  /** Rows of each list at most. */
  readonly limit: number;
}

/** A span as the start page shows it. */
export interface LatestSpan {
  readonly received_at: Date;
  readonly service_name: string;
  readonly name: string;
  readonly trace_id: string;
  readonly status_code: number;
  readonly duration_ms: number | null;
}

/** A model call as the start page shows it. */
export interface LatestCall {
  readonly start_time: Date;
  readonly service_name: string | null;
  readonly model_name: string | null;
  readonly tokens_total: string | null;
  readonly duration_ms: number | null;
  readonly generation_status: string;
  readonly trace_id: string;
}

/** Model calls that began within the last hour. */
export interface HourTotals {
  readonly calls: string;
  readonly failed: string;
  readonly tokens: string | null;
}

/** A part that the database did not give in time is undefined; the others stand. */
export interface Latest {
  readonly spans: readonly LatestSpan[] | undefined;
  readonly calls: readonly LatestCall[] | undefined;
  readonly hour: HourTotals | undefined;
}

const STATEMENT_TIMEOUT = "1500ms";
/** Times further ahead are mistakes of a sender, and would stay the newest for ever. */
const AHEAD = "5 minutes";
/** A probe of a window counts up to this. */
const PROBE_ROWS = 5_000;

/** What arrived last, newest first, as `projectId` may see it. `sql` is a pool of the reading login. */
export async function latest(sql: Sql, options: LatestOptions): Promise<Latest> {
  const part = <T>(work: (tx: TransactionSql) => Promise<T>): Promise<T | undefined> =>
    (
      sql.begin("READ ONLY", async (tx) => {
        await tx`SELECT set_config('genspan.project', ${String(options.projectId)}, true),
          set_config('statement_timeout', ${STATEMENT_TIMEOUT}, true), set_config('search_path', quote_ident(${options.schema}), true)`;
        return work(tx);
      }) as Promise<T>
    ).catch(() => undefined);
  const [spans, calls, hour] = await Promise.all([
    part((tx) => latestSpans(tx, options)),
    part((tx) => latestCalls(tx, options)),
    part((tx) => hourTotals(tx, options)),
  ]);
  return { spans, calls, hour };
}

async function latestSpans(tx: TransactionSql, { projectId, limit }: LatestOptions): Promise<LatestSpan[]> {
  const seconds = await arrivalWindowSeconds(limit, async (window) => {
    const [{ rows }] = await tx<[{ rows: number }]>`
      SELECT count(*)::int AS rows FROM (SELECT FROM spans WHERE project_id = ${projectId}
        AND start_time > now() - ${window} * interval '1 second' AND start_time < now() + ${AHEAD}::interval LIMIT ${PROBE_ROWS}) AS probe`;
    return { rows, full: rows === PROBE_ROWS };
  });
  return [
    ...(await tx<LatestSpan[]>`
      SELECT received_at, service_name, left(name, 200) AS name, trace_id, status_code, (duration_ns / 1e6)::float8 AS duration_ms
      FROM spans WHERE project_id = ${projectId}
        AND start_time > now() - ${seconds} * interval '1 second' AND start_time < now() + ${AHEAD}::interval
      ORDER BY received_at DESC, start_time DESC LIMIT ${limit}`),
  ];
}

const latestCalls = async (tx: TransactionSql, { projectId, limit }: LatestOptions): Promise<LatestCall[]> => [
  ...(await tx<LatestCall[]>`
    SELECT start_time, service_name, left(model_name, 200) AS model_name, tokens_total, duration_ms, generation_status, trace_id
    FROM generation_logs WHERE project_id = ${projectId} AND start_time < now() + ${AHEAD}::interval
    ORDER BY start_time DESC LIMIT ${limit}`),
];

async function hourTotals(tx: TransactionSql, { projectId }: LatestOptions): Promise<HourTotals> {
  const [totals] = await tx<[HourTotals]>`
    SELECT count(*) AS calls, count(*) FILTER (WHERE generation_status IN ('failed', 'timeout')) AS failed, sum(tokens_total) AS tokens
    FROM generation_logs WHERE project_id = ${projectId} AND start_time > now() - interval '1 hour' AND start_time < now() + ${AHEAD}::interval`;
  return totals;
}

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

const latestSpans = async (tx: TransactionSql, options: LatestOptions): Promise<LatestSpan[]> =>
  (await fromEndOfTable(tx, options)) ?? fromWindow(tx, options);

/** How many of a table's last blocks are looked through: 32 MiB at most. */
const END_BLOCKS = [256, 4_096];

/**
 * Rows are appended, so what arrived last stands at the end of today's partition; where something was deleted before, single rows may stand elsewhere, and of
 * those the beginnings of traces have an index. Undefined where too few rows of the project are there: the day is young, or others write most of it.
 * The BRIN index on time is of no help just here: it knows nothing of the blocks that were filled since the last vacuum.
 */
async function fromEndOfTable(tx: TransactionSql, { schema, projectId, limit }: LatestOptions): Promise<LatestSpan[] | undefined> {
  const [{ day, until, blocks }] = await tx<[{ day: Date; until: Date; blocks: number | null }]>`
    SELECT day, least(day + interval '1 day', now() + ${AHEAD}::interval) AS until,
      (pg_relation_size(to_regclass(quote_ident(${schema}) || '.spans_' || to_char(day AT TIME ZONE 'UTC', 'YYYYMMDD'))) / current_setting('block_size')::int)::int AS blocks
    FROM (SELECT date_trunc('day', now(), 'UTC') AS day) AS today`;
  if (blocks === null) return undefined;
  const columns = tx`span_id, received_at, service_name, left(name, 200) AS name, trace_id, status_code, (duration_ns / 1e6)::float8 AS duration_ms`;
  const today = tx`project_id = ${projectId} AND start_time >= ${day} AND start_time < ${until}`;
  const begun = await tx<PlacedSpan[]>`
    SELECT ${columns} FROM spans WHERE ${today} AND (parent_span_id IS NULL OR kind IN (2, 5)) ORDER BY start_time DESC LIMIT ${limit}`;
  await useIndexes(tx, false);
  for (const last of END_BLOCKS) {
    const end = await tx<PlacedSpan[]>`
      SELECT ${columns} FROM spans WHERE ${today} AND ctid >= ${`(${Math.max(0, blocks - last)},0)`}::tid ORDER BY received_at DESC, start_time DESC LIMIT ${limit}`;
    if (end.length >= limit) return newestOf([...end, ...begun], limit);
    if (last >= blocks) break;
  }
  await useIndexes(tx, true);
  return undefined;
}

/** Without statistics of a table that has just been filled, the planner would take the primary key for the shorter way to its last blocks. */
const useIndexes = (tx: TransactionSql, use: boolean): Promise<unknown> =>
  tx`SELECT set_config(name, ${use ? "on" : "off"}, true) FROM unnest(ARRAY['enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan']) AS name`;

type PlacedSpan = LatestSpan & { readonly span_id: string };

function newestOf(spans: readonly PlacedSpan[], limit: number): LatestSpan[] {
  const once = new Map(spans.map(({ span_id, ...span }) => [`${span.trace_id}-${span_id}`, span]));
  return [...once.values()].toSorted((a, b) => b.received_at.getTime() - a.received_at.getTime()).slice(0, limit);
}

async function fromWindow(tx: TransactionSql, { projectId, limit }: LatestOptions): Promise<LatestSpan[]> {
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

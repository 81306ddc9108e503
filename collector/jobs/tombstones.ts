import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { createSchedule } from "../base/schedule.ts";
import { REMEMBERED } from "../commands/erase/remembered.ts";

export interface TombstonesOptions {
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
  readonly intervalMillis?: number;
}

/** Where an item's ids stand in its request. */
export interface ItemIds {
  readonly arena: { readonly request: Buffer };
  readonly traceIdOffset: number;
  readonly traceIdSize: number;
  readonly spanIdOffset: number;
  readonly spanIdSize: number;
}

/** What was erased, as this collector knows it: at most a few seconds old. */
export interface Tombstones {
  /** Says of an item of the project whether it was erased; undefined where nothing was, so that the usual request pays nothing. */
  of(projectId: number): ((item: ItemIds) => boolean) | undefined;
  refresh(): Promise<void>;
  stop(): Promise<void>;
}

const INTERVAL_MS = 2_000;
/** Erasures that were committed later than others begun after them. */
const OVERLAP = "1 minute";
const MAX_NEW = 200_000;

interface Graves {
  /** First four bytes of the trace ids: looking them up costs next to nothing, and nearly every span ends there. */
  readonly heads: Set<number>;
  /** Trace ids with the spans that were erased of them; undefined for the whole trace. */
  readonly traces: Map<string, Set<string> | undefined>;
}

const HEAD_HEX_DIGITS = 8;
const HEAD_BYTES = HEAD_HEX_DIGITS / 2;

/** Reads the tombstones once before it resolves. */
export async function createTombstones(options: TombstonesOptions): Promise<Tombstones> {
  const { sql, schema, log } = options;
  const projects = new Map<number, Graves>();
  let seenUntil = "-infinity";

  async function refresh(): Promise<void> {
    const rows = await sql<{ project_id: number; trace_id: string; span_id: string; erased_at: string }[]>`
      SELECT project_id, trace_id, span_id, erased_at::text FROM ${sql(schema)}.tombstones
      WHERE erased_at > clock_timestamp() - ${REMEMBERED}::interval AND erased_at > ${seenUntil}::text::timestamptz - ${OVERLAP}::interval
      ORDER BY erased_at DESC LIMIT ${MAX_NEW}`;
    for (const row of rows) {
      const graves: Graves = projects.get(row.project_id) ?? { heads: new Set(), traces: new Map() };
      projects.set(row.project_id, graves);
      graves.heads.add(Number.parseInt(row.trace_id.slice(0, HEAD_HEX_DIGITS), 16));
      const { traces } = graves;
      if (row.span_id === "") traces.set(row.trace_id, undefined);
      else if (!traces.has(row.trace_id)) traces.set(row.trace_id, new Set([row.span_id]));
      else traces.get(row.trace_id)?.add(row.span_id);
    }
    seenUntil = rows[0]?.erased_at ?? seenUntil;
  }

  await refresh();
  const { start, stop } = createSchedule({
    run: refresh,
    everyMillis: options.intervalMillis ?? INTERVAL_MS,
    atOnce: false,
    onError: (error) => log.warn({ code: errorCode(error) }, "what was erased could not be read again"),
  });
  start();
  return {
    refresh,
    stop,
    of(projectId) {
      const graves = projects.get(projectId);
      return graves === undefined ? undefined : (item) => lies(graves, item);
    },
  };
}

function lies({ heads, traces }: Graves, { arena: { request }, traceIdOffset, traceIdSize, spanIdOffset, spanIdSize }: ItemIds): boolean {
  if (traceIdSize < HEAD_BYTES || !heads.has(request.readUInt32BE(traceIdOffset))) return false;
  const traceId = request.toString("hex", traceIdOffset, traceIdOffset + traceIdSize);
  if (!traces.has(traceId)) return false;
  const spans = traces.get(traceId);
  return spans === undefined || spans.has(request.toString("hex", spanIdOffset, spanIdOffset + spanIdSize));
}

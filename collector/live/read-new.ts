import { rowConditionsOf } from "../query/filter/conditions.ts";
import type { Filter } from "../query/filter/parse.ts";
import { type GenerationSummary, SUMMARY_COLUMNS } from "../query/generations/list.ts";
import type { Reader } from "../query/reader.ts";
import { and, type Fragment, sql } from "../query/sql.ts";
import type { Position } from "./position.ts";

/** A call and the position of a stream that has told it. */
export interface Arrival {
  readonly row: GenerationSummary;
  readonly position: Position;
}

export interface Arrivals {
  readonly found: readonly Arrival[];
  /** Where to go on; everything up to there has been told. */
  readonly position: Position;
  /** Whether there is more of the same moment. */
  readonly more: boolean;
}

export interface LiveQuestion {
  readonly projectId: number;
  readonly filter: Filter;
}

const BATCH_ROWS = 200;
/** Longer than any transaction of a writer takes, and than clocks of collectors differ. */
const MARGIN_SECONDS = 60;

/** Where a stream begins that is to tell only what comes from now on. */
export async function presentPosition(reader: Reader, projectId: number): Promise<Position> {
  const [now] = await reader.read({ projectId }, (ask) => ask<{ seen: string; at: number }>(sql`${PRESENT}`));
  return { seen: now!.seen, atSeconds: now!.at };
}

const PRESENT = sql`SELECT pg_current_snapshot()::text AS seen, floor(extract(epoch FROM now()))::int AS at`;

interface Found extends GenerationSummary {
  readonly "@seen": string;
  readonly "@at": number;
  readonly "@received": string | null;
}

/**
 * Calls that were committed since the position, in the order of their arrival. Snapshots tell exactly which: a row whose transaction was still open then is
 * told now, however old its times are, and a row that was visible then is not told again. A call that is written anew (completed, linked) is told anew.
 */
export async function readNew(reader: Reader, { projectId, filter }: LiveQuestion, position: Position): Promise<Arrivals> {
  const { seen, until, last } = position;
  const range = [
    sql`project_id = ${projectId}`,
    sql`received_at > to_timestamp(${position.atSeconds - MARGIN_SECONDS}::float8)`,
    ...(last === undefined ? [] : [sql`received_at >= ${last[0]}::timestamptz`, behind(last)]),
    rowConditionsOf(filter),
    // What is older than the oldest transaction of that moment was visible then; most rows end here, at little cost.
    sql`${WRITTEN_BY} >= ${oldestOf(seen)}::bigint`,
    sql`NOT pg_visible_in_snapshot((${WRITTEN_BY})::text::xid8, ${seen}::text::pg_snapshot)`,
    sql`pg_visible_in_snapshot((${WRITTEN_BY})::text::xid8, ${until === undefined ? sql`present.current` : sql`${until}::text::pg_snapshot`})`,
  ];
  const rows = await reader.read({ projectId }, (ask) =>
    ask<Found>(sql`
      WITH present AS (
        SELECT current, at, newest / 4294967296 * 4294967296 AS epoch, newest % 4294967296 AS newest FROM (
          SELECT current, floor(extract(epoch FROM now()))::int AS at, pg_snapshot_xmax(current)::text::bigint AS newest FROM pg_current_snapshot() AS current
        ) AS told
      )
      SELECT present.current::text AS "@seen", present.at AS "@at", arrived.* FROM present LEFT JOIN LATERAL (
        SELECT ${SUMMARY_COLUMNS}, received_at::text AS "@received" FROM (
          SELECT * FROM generation_logs WHERE ${and(range)} ORDER BY received_at, trace_id, span_id LIMIT ${BATCH_ROWS + 1}
        ) AS batch ORDER BY received_at, trace_id, span_id
      ) AS arrived ON true`),
  );
  return arrivals(rows, position);
}

/** The transaction that wrote a row version, with the epoch that its 32 bits lack; rows lately written are never an epoch away. */
const WRITTEN_BY = sql`CASE WHEN generation_logs.xmin::text::bigint > present.newest THEN present.epoch - 4294967296 ELSE present.epoch END + generation_logs.xmin::text::bigint`;

/** A snapshot begins with the oldest transaction that was open. */
const oldestOf = (snapshot: string): string => snapshot.split(":")[0] ?? "0";

const behind = ([received, trace, span]: NonNullable<Position["last"]>): Fragment =>
  sql`(received_at, trace_id, span_id) > (${received}::timestamptz, ${trace}::text, ${span}::text)`;

function arrivals(rows: readonly Found[], { seen, atSeconds, until }: Position): Arrivals {
  const [first] = rows;
  const current = first!["@seen"];
  const told = rows.filter((row) => row["@received"] !== null);
  const more = told.length > BATCH_ROWS;
  const batch = told.slice(0, BATCH_ROWS);
  const whole: Position = { seen: until ?? current, atSeconds: until === undefined ? first!["@at"] : atSeconds };
  const found = batch.map((row, i): Arrival => {
    const isLast = !more && i === batch.length - 1;
    const within: Position = { seen, atSeconds, until: until ?? current, last: [row["@received"] ?? "", row.trace_id, row.span_id] };
    return { row: withoutMarks(row), position: isLast ? whole : within };
  });
  return { found, more, position: more ? found.at(-1)!.position : whole };
}

function withoutMarks(row: Found): GenerationSummary {
  const { "@seen": _seen, "@at": _at, "@received": _received, ...rest } = row;
  return rest;
}

import type { Sql, TransactionSql } from "../../../schema/connect.ts";
import type { ContentTable } from "./content-tables.ts";

/** How far a run came that was not broken off. */
export interface Reached {
  /** It went through all rows of before this time … */
  readonly before: Date;
  /** … that transactions older than this one had written (an xid8, as text). */
  readonly transaction: string;
}

/** Rows of a stretch of time, of which `from` is the first moment and `to` none. */
export interface Window {
  /** ISO 8601; undefined for the beginning of time. */
  readonly from?: string;
  readonly to: string;
  /** Only rows that this transaction, or a later one, wrote. */
  readonly writtenSince?: string;
}

/** The oldest transaction that has not ended: what older ones wrote, every later query sees. */
export async function readHorizon(sql: Sql): Promise<string> {
  const [row] = await sql<{ horizon: string }[]>`SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon`;
  return row?.horizon ?? "0";
}

/**
 * Where rows lie that no run has been through: those that are old only now, and days of before with rows that were written since (that came late, got more
 * content, or were restored). To find these reads every old row, but none of its content.
 */
export async function windowsOf(
  tx: TransactionSql,
  table: ContentTable,
  { before, since }: { before: Date; since?: Reached },
): Promise<Window[]> {
  const to = before.toISOString();
  if (since === undefined) return [{ to }];
  const known = new Date(Math.min(since.before.getTime(), before.getTime())).toISOString();
  const time = tx(table.timeColumn);
  const days = await tx<{ from: Date; to: Date }[]>`
    SELECT day AS from, least(day + interval '24 hours', ${known}::timestamptz) AS to FROM (
      SELECT DISTINCT date_trunc('day', ${time}, 'UTC') AS day FROM ${tx(table.name)}
      WHERE ${time} < ${known} AND ${tx.unsafe(writtenSince(since.transaction))}) AS days ORDER BY day`;
  return [
    ...days.map((day) => ({ from: day.from.toISOString(), to: day.to.toISOString(), writtenSince: since.transaction })),
    { from: known, to },
  ];
}

/** A condition on rows, as SQL. Ids of transactions go round: of one that is older than two thousand million others it holds wrongly, and the row is read. */
export const writtenSince = (transaction: string): string => `age(xmin) <= age('${BigInt(transaction)}'::xid8::xid)`;

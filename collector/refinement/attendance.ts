import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";

/** Who writes to these tables. A collector knows what it wrote itself: only what others write has to be searched for. */
export interface Attendance {
  /** Says that this collector is there, until `TTL_MS` from now. */
  announce(): Promise<void>;
  /** Until when, by the clock of this process, another collector may have written at most: later than now where one is there, 0 where none was for a day. */
  othersUntil(): Promise<number>;
}

/** Names of our leases; each collector holds one of its own. */
const PREFIX = "refiner ";
/** Several times the pause between two announcements, for a database that answers late. */
const TTL_MS = 120_000;
/** How long it is known that a collector was there: parts of one call that come further apart are left as they came. */
const KEPT = "1 day";

/** Told by leases of `job_leases` that nobody contends for. All times of leases are the database's. */
export function createAttendance({ sql, schema }: { readonly sql: Sql; readonly schema: string }): Attendance {
  const holder = randomUUID();
  return {
    async announce() {
      await sql`
        WITH gone AS (
          DELETE FROM ${sql(schema)}.job_leases WHERE starts_with(job, ${PREFIX}) AND expires_at < clock_timestamp() - ${KEPT}::interval
        )
        INSERT INTO ${sql(schema)}.job_leases (job, holder, expires_at)
        VALUES (${PREFIX + holder}, ${holder}, clock_timestamp() + make_interval(secs => ${TTL_MS / 1000}))
        ON CONFLICT (job) DO UPDATE SET expires_at = excluded.expires_at`;
    },
    async othersUntil() {
      const [{ left_ms: leftMillis }] = await sql<[{ left_ms: number | null }]>`
        SELECT (extract(epoch FROM max(expires_at) - clock_timestamp()) * 1000)::float8 AS left_ms
        FROM ${sql(schema)}.job_leases WHERE starts_with(job, ${PREFIX}) AND holder <> ${holder}`;
      return leftMillis === null ? 0 : Date.now() + leftMillis;
    },
  };
}

import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";

/** Who writes to these tables. A collector knows what it wrote itself: only what others write has to be searched for. */
export interface Attendance {
  /** Says that this collector is there, until `TTL_MS` from now. */
  announce(): Promise<void>;
  /** Whether another collector was there at some moment since then. */
  othersSince(sinceMillis: number): Promise<boolean>;
}

/** Names of our leases; each collector holds one of its own. */
const PREFIX = "refiner ";
/** Several times the pause between two announcements, for a database that answers late. */
const TTL_MS = 120_000;
/** Longer than any search looks back. */
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
    async othersSince(sinceMillis) {
      const [{ others }] = await sql<[{ others: boolean }]>`
        SELECT EXISTS (
          SELECT FROM ${sql(schema)}.job_leases
          WHERE starts_with(job, ${PREFIX}) AND holder <> ${holder} AND expires_at > clock_timestamp() - make_interval(secs => ${(Date.now() - sinceMillis) / 1000})
        ) AS others`;
      return others;
    },
  };
}

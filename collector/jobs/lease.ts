import type { Sql } from "../../schema/connect.ts";

export interface LeaseOptions {
  readonly schema: string;
  /** Name of the job: at most one holder per name at any moment. */
  readonly job: string;
  /** Who asks: unique per collector. */
  readonly holder: string;
  /** How long a holder that has died keeps the others out. */
  readonly ttlMillis: number;
}

/**
 * Runs `work` if no other collector holds the job's lease, and keeps the lease while it runs. Undefined where another one holds it.
 * `work` should stop soon after `signal` aborts: the lease was lost then (the database was away for longer than the lease lasts).
 */
export async function runUnderLease<T>(sql: Sql, options: LeaseOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  if (!(await takeLease(sql, options))) return undefined;
  const lost = new AbortController();
  const renewal = setInterval(() => {
    takeLease(sql, options).then(
      (held) => held || lost.abort(),
      () => lost.abort(),
    );
  }, options.ttlMillis / 3);
  renewal.unref();
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(renewal);
    await releaseLease(sql, options);
  }
}

/** Takes a free or expired lease, or renews one's own. All times are the database's. */
async function takeLease(sql: Sql, { schema, job, holder, ttlMillis }: LeaseOptions): Promise<boolean> {
  const taken = await sql`
    INSERT INTO ${sql(schema)}.job_leases AS held (job, holder, expires_at)
    VALUES (${job}, ${holder}, clock_timestamp() + make_interval(secs => ${ttlMillis / 1000}))
    ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE held.holder = excluded.holder OR held.expires_at < clock_timestamp()
    RETURNING job`;
  return taken.length === 1;
}

async function releaseLease(sql: Sql, { schema, job, holder }: LeaseOptions): Promise<void> {
  await sql`DELETE FROM ${sql(schema)}.job_leases WHERE job = ${job} AND holder = ${holder}`;
}

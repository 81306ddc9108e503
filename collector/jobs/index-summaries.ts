import { createLeasedJob, type Job, type JobOptions } from "./leased-job.ts";

const INTERVAL_MS = 5 * 60_000;
const LEASE_TTL_MS = 120_000;

interface Summaries {
  /** Of the index, as SQL writes it. */
  readonly name: string;
  /** Rows that came into its table since the server's statistics began, as text. */
  readonly rows: string;
}

/**
 * Summarises what was written since the last time, so that BRIN indexes know of it: VACUUM does the same, but comes to a day that is over only by chance.
 * Gives the number of ranges of pages.
 */
export function createIndexSummaries(options: JobOptions): Job<number> {
  /** Rows of the table when its index was summarised last, by index. */
  const seen = new Map<string, string>();
  return createLeasedJob(options, {
    name: "summaries",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "indexes could not be summarised; searches read more rows until they are",
    async work(signal) {
      const found = await readSummaries(options);
      for (const name of seen.keys()) if (!found.some((each) => each.name === name)) seen.delete(name);
      let ranges = 0;
      for (const { name, rows } of found) {
        if (signal.aborted) break;
        if (seen.get(name) === rows) continue;
        ranges += await summarise(options, name);
        seen.set(name, rows);
      }
      return ranges;
    },
  });
}

/** Those that hold rows: indexes of partitioned tables are none of them. */
const readSummaries = ({ sql, schema }: JobOptions): Promise<Summaries[]> =>
  sql<Summaries[]>`
    SELECT format('%I.%I', n.nspname, c.relname) AS name, coalesce(t.n_tup_ins, 0)::text AS rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam JOIN pg_index x ON x.indexrelid = c.oid
    LEFT JOIN pg_stat_all_tables t ON t.relid = x.indrelid
    WHERE n.nspname = ${schema} AND c.relkind = 'i' AND m.amname = 'brin' ORDER BY c.relname`;

/** Its table may have gone in the meantime, with the day that it was of. */
async function summarise({ sql }: JobOptions, name: string): Promise<number> {
  const [row] = await sql<
    [{ ranges: number }?]
  >`SELECT brin_summarize_new_values(i)::int AS ranges FROM to_regclass(${name}) AS i WHERE i IS NOT NULL`;
  return row?.ranges ?? 0;
}

import { setTimeout as sleep } from "node:timers/promises";
import type { TransactionSql } from "../../../schema/connect.ts";
import { SEARCHED_COLUMNS } from "../../query/words/searched-columns.ts";
import { createLeasedJob, type Job, type JobOptions } from "../leased-job.ts";
import { type Block, type CallTexts, createBlocks } from "./blocks.ts";

export interface WordSignaturesOptions extends JobOptions {
  /** An hour is signed when it was noted this long ago: one that is changed again and again is not read again and again. */
  readonly settleMillis?: number;
  /** How many times as long as it works the job rests after each hour. */
  readonly rest?: number;
}

const INTERVAL_MS = 30_000;
const SETTLE_MS = 300_000;
const LEASE_TTL_MS = 120_000;
const REST = 3;
/** Rows in memory at once, each of at most MAX_CALL_BYTES. */
const BATCH_ROWS = 50;
const MAX_CALL_BYTES = 512 * 1024;

/**
 * Signs what calls of closed hours say, so that a search for a rare word may leave out nearly all of them. Counts the hours. It reads every text once, so
 * it works a quarter of the time: what is left has only a slower search.
 */
export const createWordSignatures = (options: WordSignaturesOptions): Job<number> =>
  createLeasedJob(options, {
    name: "word-signatures",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "texts could not be signed; searches for words read all of them until they are",
    async work(signal) {
      for (let hours = 0; ; hours++) {
        const started = performance.now();
        if (signal.aborted || !(await signNextHour(options, signal))) return hours;
        await sleep((options.rest ?? REST) * (performance.now() - started), undefined, { signal }).catch(() => {});
      }
    },
  });

interface Hour {
  readonly project_id: number;
  readonly hour: string;
}

/**
 * Signs the newest hour that is noted; false where there is none. Its notes are taken first and its rows read after: what is changed in between leaves a
 * note of its own, and readers use no signature of an hour that is noted anywhere. Two collectors that sign one hour at once meet in the primary key.
 */
function signNextHour({ sql, schema, settleMillis = SETTLE_MS }: WordSignaturesOptions, signal: AbortSignal): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true), set_config('jit', 'off', true)`;
    const [hour] = await tx<Hour[]>`
      WITH due AS (
        SELECT project_id, hour FROM word_dirty_hours GROUP BY project_id, hour
        HAVING min(noted_at) <= clock_timestamp() - make_interval(secs => ${settleMillis / 1000}) ORDER BY hour DESC, project_id LIMIT 1
      )
      DELETE FROM word_dirty_hours d USING due WHERE d.project_id = due.project_id AND d.hour = due.hour RETURNING d.project_id, d.hour::text AS hour`;
    if (hour === undefined) return false;
    const signed: Block[] = [];
    const blocks = createBlocks((block) => signed.push(block));
    for await (const calls of readTexts(tx, hour)) {
      signal.throwIfAborted();
      for (const call of calls) blocks.add(call);
    }
    blocks.end();
    await tx`DELETE FROM word_signatures WHERE project_id = ${hour.project_id} AND hour = ${hour.hour}::text::timestamptz`;
    for (const [part, { firstTime, lastTime, bits }] of signed.entries())
      await tx`INSERT INTO word_signatures (project_id, hour, part, first_time, last_time, bits) VALUES (${hour.project_id}, ${hour.hour}::text::timestamptz,
        ${part}, ${firstTime}::text::timestamptz, ${lastTime}::text::timestamptz, ${bits}::bytea)`;
    return true;
  }) as Promise<boolean>;
}

const lengthOf = (column: string): string => `coalesce(octet_length(${column}), 0)`;

async function* readTexts(tx: TransactionSql, { project_id, hour }: Hour): AsyncGenerator<CallTexts[]> {
  const readable = `${SEARCHED_COLUMNS.map(lengthOf).join(" + ")} <= ${MAX_CALL_BYTES}`;
  const texts = SEARCHED_COLUMNS.map((column) => `CASE WHEN ${readable} THEN ${column} END AS ${column}`).join(", ");
  await tx`DECLARE texts NO SCROLL CURSOR FOR
    SELECT start_time::text AS at, ${tx.unsafe(readable)} AS readable, ${tx.unsafe(texts)} FROM generation_logs
    WHERE project_id = ${project_id} AND start_time >= ${hour}::text::timestamptz AND start_time < ${hour}::text::timestamptz + interval '1 hour'
    ORDER BY start_time`;
  for (;;) {
    const rows = await tx<StoredTexts[]>`FETCH ${tx.unsafe(String(BATCH_ROWS))} FROM texts`;
    if (rows.length === 0) return;
    yield rows.map((row) => ({ time: row.at, texts: row.readable ? SEARCHED_COLUMNS.map((column) => row[column]) : undefined }));
  }
}

type StoredTexts = { readonly at: string; readonly readable: boolean } & Readonly<Record<(typeof SEARCHED_COLUMNS)[number], string | null>>;

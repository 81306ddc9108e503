import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { createSchedule } from "../base/schedule.ts";
import { within } from "../base/within.ts";
import { type Origin, type OriginKind, originKey } from "../commands/origins/origin.ts";
import { type OriginRow, restoreOrigins } from "../commands/origins/restore.ts";

/** The writer of telemetry, which remembers what is stored. */
export interface OriginMemory {
  /** Forgets these; gives the rows that it has used since the look began that found nothing pointing to them. */
  release(released: readonly (Origin & { readonly ageMillis: number })[]): OriginRow[];
  /** After this time a write that was under way is committed, or never will be. */
  readonly writeDeadlineMillis: number;
}

export interface ReleasedOriginsOptions {
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
  readonly memory: OriginMemory;
  readonly intervalMillis?: number;
}

/** Hears which resources and scopes were deleted, by whichever collector or command. */
export interface ReleasedOrigins {
  refresh(): Promise<void>;
  start(): void;
  /** Hears and puts back what it can within two seconds, and stops. Safe before start and twice. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 2_000;
/** What a stop waits for at most: the next span of the same process puts a resource back, too. */
const STOP_MS = 2_000;
/** Deletions that were committed later than others begun after them. */
const OVERLAP = "30 seconds";

interface ReleasedRow {
  readonly project_id: number;
  readonly kind: OriginKind;
  readonly id: string;
  readonly released_at: string;
  readonly age_millis: number;
}

/**
 * Makes the writer forget what was deleted, so that it is stored again with the next span that needs it. What the writer used in the meantime is put back
 * once its spans are committed, if they were: a span never stays without its resource.
 */
export function createReleasedOrigins({ sql, schema, log, memory, intervalMillis = INTERVAL_MS }: ReleasedOriginsOptions): ReleasedOrigins {
  const heard = new Set<string>();
  const owed = new Map<string, { readonly row: OriginRow; readonly dueAt: number }>();
  let seenUntil: string | undefined;

  async function refresh(): Promise<void> {
    await hear();
    await restore(performance.now());
  }

  async function hear(): Promise<void> {
    seenUntil ??= (await sql<[{ now: string }]>`SELECT clock_timestamp()::text AS now`)[0].now;
    const rows = await sql<ReleasedRow[]>`
      SELECT project_id, origin_kind AS kind, replace(id::text, '-', '') AS id, released_at::text, (extract(epoch FROM clock_timestamp() - looked_from) * 1000)::float8 AS age_millis
      FROM ${sql(schema)}.released_origins WHERE released_at > ${seenUntil}::text::timestamptz - ${OVERLAP}::interval ORDER BY released_at DESC`;
    const seen = rows.map((row) => `${row.kind}/${row.project_id}/${row.id}/${row.released_at}`);
    const fresh = rows.filter((_, i) => !heard.has(seen[i] ?? ""));
    const used = memory.release(
      fresh.map(({ kind, project_id: projectId, id, age_millis: ageMillis }) => ({ kind, projectId, id, ageMillis })),
    );
    const dueAt = performance.now() + memory.writeDeadlineMillis;
    for (const row of used) owed.set(originKey(row), { row, dueAt });
    heard.clear();
    for (const each of seen) heard.add(each);
    seenUntil = rows[0]?.released_at ?? seenUntil;
  }

  async function restore(now: number): Promise<void> {
    const due = [...owed].filter(([, { dueAt }]) => dueAt <= now);
    if (due.length === 0) return;
    const rows = due.map(([, { row }]) => row);
    await restoreOrigins({ sql, schema }, rows);
    for (const [key, { dueAt }] of due) if (owed.get(key)?.dueAt === dueAt) owed.delete(key);
  }

  const schedule = createSchedule({
    run: refresh,
    everyMillis: intervalMillis,
    onError: (error) => log.warn({ code: errorCode(error) }, "which resources were deleted could not be read; it is tried again"),
  });
  return {
    refresh,
    start: schedule.start,
    async stop() {
      await schedule.stop();
      if (seenUntil === undefined) return;
      const last = hear().then(() => restore(Number.POSITIVE_INFINITY));
      await within(last, STOP_MS).catch((error: unknown) =>
        log.warn({ code: errorCode(error) }, "resources that were deleted under a write could not be put back"),
      );
    },
  };
}

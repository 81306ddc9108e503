import { createRecent } from "../../base/recent.ts";
import { GENERATION_LOGS, SPANS } from "../../rows/table-spec.ts";
import type { RowRef, TableRows } from "./gather.ts";
import { completeness } from "./row-content.ts";
import { identityText, keyLayout } from "./row-layout.ts";

/** A span's key as PostgreSQL reads it. */
export interface SpanKeyText {
  readonly projectId: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly startTime: string;
}

/** What this collector lately wrote of things that had not ended, so that their ends find it although they do not say that it is there. */
export interface Announcements {
  /** Remembers the unfinished rows of a batch. */
  note(tables: readonly TableRows[]): void;
  /** Rows of `tables` that probably replace an unfinished one, in write order: they say so themselves, or it was seen here. */
  completing(tables: readonly TableRows[]): TableRows[];
}

/** Of each table; about four megabytes. What was forgotten is found by the careful path. */
const MAX_REMEMBERED = 20_000;

export function createAnnouncements(maxRemembered = MAX_REMEMBERED): Announcements {
  const remembered = new Map([SPANS, GENERATION_LOGS].map((table) => [table, createRecent<true>(maxRemembered)]));
  return {
    note(tables) {
      for (const { table, rows } of tables) {
        const known = remembered.get(table);
        if (known === undefined) continue;
        for (const row of rows) {
          if (!isAnnouncing(row) || completeness(table, row) > 0) continue;
          known.set(identityText(table, row, "key"), true);
        }
      }
    },
    completing(tables) {
      return tables.flatMap(({ table, rows }) => {
        const known = remembered.get(table);
        if (known === undefined) return [];
        const isSeen = (row: RowRef): boolean => known.size > 0 && known.get(identityText(table, row, "key")) === true;
        const says = (row: RowRef): boolean => table === GENERATION_LOGS && row.part.pending.request.announced.has(row.item);
        const matching = rows.filter((row) => !isAnnouncing(row) && (says(row) || isSeen(row)) && hasWritableTime(row));
        return matching.length === 0 ? [] : [{ table, rows: matching, conflicting: [] }];
      });
    },
  };
}

const isAnnouncing = ({ part, item }: RowRef): boolean => part.pending.request.announcing.has(item);

/** Keys of rows of spans and of generation_logs, which have the same. */
export const spanKeysOf = (rows: readonly RowRef[]): SpanKeyText[] => rows.map(spanKeyOf);

function spanKeyOf({ bytes, start }: RowRef): SpanKeyText {
  const [project, trace, span, time] = keyLayout(SPANS).fields.map(({ at }) => start + at) as [number, number, number, number];
  return {
    projectId: bytes.readInt32BE(project),
    traceId: bytes.toString("latin1", trace, trace + 32),
    spanId: bytes.toString("latin1", span, span + 16),
    startTime: timeText(bytes.readBigInt64BE(time)),
  };
}

const EPOCH_MICROS = BigInt(Date.UTC(2000, 0, 1)) * 1_000n;
/** Years that ISO 8601 writes with four digits. */
const LAST_MICROS = BigInt(Date.UTC(9999, 11, 31)) * 1_000n - EPOCH_MICROS;

function hasWritableTime({ bytes, start }: RowRef): boolean {
  const micros = bytes.readBigInt64BE(start + keyLayout(SPANS).time!.at);
  return micros > 0n && micros < LAST_MICROS;
}

/** Exact to the microsecond. */
function timeText(microsSince2000: bigint): string {
  const micros = microsSince2000 + EPOCH_MICROS;
  const iso = new Date(Number(micros / 1_000n)).toISOString();
  return `${iso.slice(0, -1)}${String(micros % 1_000n).padStart(3, "0")}Z`;
}

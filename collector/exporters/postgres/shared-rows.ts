import type { SharedRow } from "../../rows/encoded-request.ts";
import type { Part } from "./batch.ts";
import { classifyError } from "./classify-error.ts";
import type { Statements } from "./statements.ts";
import type { WriterConnection } from "./writer-connection.ts";

/** Ids remembered as stored; beyond it the oldest are forgotten and simply offered again. */
const MAX_KNOWN = 20_000;

/** Rows per statement. */
const MAX_ROWS = 1_000;

/** What is remembered of rows, in bytes of their attributes; a fleet of a thousand processes has about one MB. */
const MAX_KNOWN_BYTES = 8 * 1024 * 1024;

/** A row that was deleted because nothing pointed to it. */
export interface ReleasedRow extends Pick<SharedRow, "table" | "projectId" | "id"> {
  /** How long ago the look for what points to it began. */
  readonly ageMillis: number;
}

/** Keeps track of the resources and scopes that are in the database. */
export interface SharedRows {
  /** Stores what `parts` need and is not known to be there: statements of their own, committed before the rows that point to them. */
  ensure(connection: WriterConnection, parts: readonly Part[]): Promise<void>;
  /** Forgets everything: after a failure the database may be another one, or an older state of it. */
  forget(): void;
  /** Forgets that these are stored. Gives those that this writer has used since, so that something may point to them after all. */
  release(released: readonly ReleasedRow[]): SharedRow[];
}

export interface SharedRowOptions {
  readonly statements: Statements;
  /** A row that was made sure of is pointed to within this time, or not at all. */
  readonly writeDeadlineMillis: number;
  /** Hears of a row that was stored without its content because the database refused that. */
  readonly onBare: () => void;
}

interface KnownRow {
  readonly row: SharedRow;
  stored: boolean;
  /** By the monotonic clock, in milliseconds. */
  usedAt: number;
}

const keyOf = ({ table, projectId, id }: Pick<SharedRow, "table" | "projectId" | "id">): string => `${table}/${projectId}/${id}`;

export function createSharedRows({ statements, writeDeadlineMillis, onBare }: SharedRowOptions): SharedRows {
  const known = new Map<string, KnownRow>();
  let knownBytes = 0;

  function remember(key: string, row: SharedRow, usedAt: number): void {
    const before = known.get(key);
    if (before === undefined) knownBytes += row.attributes.length;
    known.set(key, { row: before?.row ?? row, stored: true, usedAt });
    for (const [oldest, { row: old }] of known) {
      if (known.size <= MAX_KNOWN && knownBytes <= MAX_KNOWN_BYTES) break;
      known.delete(oldest);
      knownBytes -= old.attributes.length;
    }
  }

  async function insert(connection: WriterConnection, rows: readonly SharedRow[]): Promise<void> {
    const table = rows[0]!.table;
    try {
      await connection.query(statements.insertShared(table), parameters(table, rows));
    } catch (error) {
      if (classifyError(error) !== "data") throw error;
      if (rows.length > 1) {
        for (const row of rows) await insert(connection, [row]);
        return;
      }
      onBare();
      await connection.query(statements.insertShared(table), parameters(table, [bare(rows[0]!)]));
    }
  }

  return {
    async ensure(connection, parts) {
      const missing = new Map<string, SharedRow>();
      const now = performance.now();
      for (const part of parts) {
        for (const row of part.pending.request.shared) {
          const key = keyOf(row);
          const there = known.get(key);
          if (there?.stored === true) there.usedAt = now;
          else missing.set(key, row);
        }
      }
      for (const table of ["resources", "scopes"] as const) {
        const rows = [...missing.values()].filter((row) => row.table === table);
        for (let from = 0; from < rows.length; from += MAX_ROWS) await insert(connection, rows.slice(from, from + MAX_ROWS));
      }
      for (const [key, row] of missing) remember(key, row, performance.now());
    },
    forget() {
      for (const each of known.values()) each.stored = false;
    },
    release(released) {
      const used: SharedRow[] = [];
      for (const each of released) {
        const there = known.get(keyOf(each));
        if (there === undefined) continue;
        there.stored = false;
        if (performance.now() - there.usedAt <= each.ageMillis + writeDeadlineMillis) used.push(there.row);
      }
      return used;
    },
  };
}

/** What is left when the database takes no value of a row: spans still find something under its id. */
const bare = (row: SharedRow): SharedRow => ({
  ...row,
  attributes: "{}",
  schemaUrl: null,
  droppedAttributesCount: null,
  name: null,
  version: null,
});

/** Columns as arrays, in the order of `Statements.insertShared`. */
function parameters(table: "resources" | "scopes", rows: readonly SharedRow[]): unknown[][] {
  const column = <K extends keyof SharedRow>(name: K): SharedRow[K][] => rows.map((row) => row[name]);
  const names = table === "scopes" ? [column("name"), column("version")] : [];
  return [column("projectId"), column("id"), ...names, column("attributes"), column("schemaUrl"), column("droppedAttributesCount")];
}

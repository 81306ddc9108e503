import type { SharedRow } from "../../rows/encoded-request.ts";
import type { Part } from "./batch.ts";
import { classifyError } from "./classify-error.ts";
import type { Statements } from "./statements.ts";
import type { WriterConnection } from "./writer-connection.ts";

/** Ids remembered as stored; beyond it the oldest are forgotten and simply offered again. */
const MAX_KNOWN = 20_000;

/** Rows per statement. */
const MAX_ROWS = 1_000;

/** Keeps track of the resources and scopes that are in the database. */
export interface SharedRows {
  /** Stores what `parts` need and is not known to be there: statements of their own, committed before the rows that point to them. */
  ensure(connection: WriterConnection, parts: readonly Part[]): Promise<void>;
  /** Forgets everything: after a failure the database may be another one, or an older state of it. */
  forget(): void;
}

export interface SharedRowOptions {
  readonly statements: Statements;
  /** Hears of a row that was stored without its content because the database refused that. */
  readonly onBare: () => void;
}

export function createSharedRows({ statements, onBare }: SharedRowOptions): SharedRows {
  const known = new Set<string>();

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
      for (const part of parts) {
        for (const row of part.pending.request.shared) {
          const key = `${row.table}/${row.projectId}/${row.id}`;
          if (!known.has(key)) missing.set(key, row);
        }
      }
      for (const table of ["resources", "scopes"] as const) {
        const rows = [...missing.values()].filter((row) => row.table === table);
        for (let from = 0; from < rows.length; from += MAX_ROWS) await insert(connection, rows.slice(from, from + MAX_ROWS));
      }
      for (const key of missing.keys()) known.add(key);
      for (const key of known) {
        if (known.size <= MAX_KNOWN) break;
        known.delete(key);
      }
    },
    forget: () => known.clear(),
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

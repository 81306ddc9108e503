import type { SharedRow } from "../../rows/encoded-request.ts";
import type { Part } from "./batch.ts";
import type { Statements } from "./statements.ts";
import type { WriterConnection } from "./writer-connection.ts";

/** Ids remembered as stored; beyond it the oldest are forgotten and simply offered again. */
const MAX_KNOWN = 20_000;

/** Keeps track of the resources and scopes that are in the database. */
export interface SharedRows {
  /** Stores what `parts` need and is not known to be there: a statement of its own, committed before the rows that point to it. */
  ensure(connection: WriterConnection, parts: readonly Part[]): Promise<void>;
  /** Forgets everything: after a lost connection the database may be another one. */
  forget(): void;
}

export function createSharedRows(statements: Statements): SharedRows {
  const known = new Set<string>();
  return {
    async ensure(connection, parts) {
      const missing = new Map<string, SharedRow>();
      for (const part of parts) {
        for (const row of part.pending.request.shared) {
          const key = `${row.table}/${row.projectId}/${row.id}`;
          if (!known.has(key)) missing.set(key, row);
        }
      }
      if (missing.size === 0) return;
      for (const table of ["resources", "scopes"] as const) {
        const rows = [...missing.values()].filter((row) => row.table === table);
        if (rows.length > 0) await connection.query(statements.insertShared(table), parameters(table, rows));
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

/** Columns as arrays, in the order of `Statements.insertShared`. */
function parameters(table: "resources" | "scopes", rows: readonly SharedRow[]): unknown[][] {
  const column = <K extends keyof SharedRow>(name: K): SharedRow[K][] => rows.map((row) => row[name]);
  const names = table === "scopes" ? [column("name"), column("version")] : [];
  return [column("projectId"), column("id"), ...names, column("attributes"), column("schemaUrl"), column("droppedAttributesCount")];
}

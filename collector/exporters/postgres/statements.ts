import { WRITE_DEADLINE_MS } from "../../base/limits.ts";
import type { TableSpec } from "../../rows/table-spec.ts";

/** The SQL of the writer. Names come from table-spec.ts and the configured schema; values never stand in the text. */
export interface Statements {
  readonly begin: string;
  copy(table: TableSpec): string;
  createStaging(table: TableSpec): string;
  copyStaging(table: TableSpec): string;
  /** Row numbers of staged rows whose key exists with other content. */
  conflicting(table: TableSpec): string;
  /** Moves staged rows into the table; gives the numbers of those that were new or completed a pending row. */
  merge(table: TableSpec): string;
  /** Locks the staged spans by identity, whatever their time. */
  lockIdentities(table: TableSpec): string;
  /** Drops staged rows of spans that exist at any time, and all but the first of one identity. */
  dropKnownIdentities(table: TableSpec): string;
  insertShared(table: "resources" | "scopes"): string;
}

/** Settings of the transaction, not the session: the same behind a pooler. A role or database default must not weaken the commit. */
const SETTINGS = `SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = ${WRITE_DEADLINE_MS - 500}; SET LOCAL idle_in_transaction_session_timeout = ${WRITE_DEADLINE_MS * 2}`;

/** Columns that differ between two deliveries of the same thing. */
const DELIVERY_COLUMNS: ReadonlySet<string> = new Set(["received_at", "updated_at", "logged_at", "ingest_notes"]);

const IDENTITY = ["project_id", "trace_id", "span_id"] as const;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const list = (columns: readonly string[], prefix = ""): string => columns.map((column) => prefix + quote(column)).join(", ");
const staging = (table: TableSpec): string => quote(`genspan_stage_${table.name}`);

export function createStatements(schema: string): Statements {
  const target = (name: string): string => `${quote(schema)}.${quote(name)}`;
  return {
    begin: `BEGIN; ${SETTINGS}`,
    copy: (table) => `COPY ${target(table.name)} (${list(table.columns)}) FROM STDIN (FORMAT binary)`,
    createStaging: (table) =>
      `CREATE TEMP TABLE ${staging(table)} ON COMMIT DROP AS SELECT 0 AS row_no, ${list(table.columns)} FROM ${target(table.name)} LIMIT 0`,
    copyStaging: (table) => `COPY ${staging(table)} (row_no, ${list(table.columns)}) FROM STDIN (FORMAT binary)`,
    conflicting: (table) => {
      const content = table.columns.filter((column) => !table.keyColumns.includes(column) && !DELIVERY_COLUMNS.has(column));
      return `SELECT s.row_no FROM ${staging(table)} s JOIN ${target(table.name)} t USING (${list(table.keyColumns)})
        WHERE (${list(content, "t.")}) IS DISTINCT FROM (${list(content, "s.")})`;
    },
    merge: (table) => `WITH merged AS (
        INSERT INTO ${target(table.name)} AS t (${list(table.columns)})
        SELECT ${list(table.columns)} FROM ${staging(table)} ORDER BY ${list(table.keyColumns)}
        ON CONFLICT (${list(table.keyColumns)}) ${onConflict(table)}
        RETURNING ${list(table.keyColumns, "t.")})
      SELECT s.row_no FROM ${staging(table)} s JOIN merged USING (${list(table.keyColumns)})`,
    lockIdentities: (table) => `SELECT pg_advisory_xact_lock(identity) FROM (
        SELECT DISTINCT hashtextextended(concat_ws('-', ${list(IDENTITY)}), 0) AS identity FROM ${staging(table)} ORDER BY 1) identities`,
    dropKnownIdentities: (table) => `DELETE FROM ${staging(table)} s
      WHERE EXISTS (SELECT FROM ${target(table.name)} t WHERE (${list(IDENTITY, "t.")}) = (${list(IDENTITY, "s.")}))
         OR EXISTS (SELECT FROM ${staging(table)} o WHERE (${list(IDENTITY, "o.")}) = (${list(IDENTITY, "s.")}) AND o.row_no < s.row_no)`,
    insertShared: (table) => {
      const scope = table === "scopes";
      const columns = ["project_id", "id", ...(scope ? ["name", "version"] : []), "attributes", "schema_url", "dropped_attributes_count"];
      const types = ["int", "uuid", ...(scope ? ["text", "text"] : []), "text", "text", "bigint"];
      const parameters = types.map((type, i) => `$${i + 1}::${type}[]`).join(", ");
      const values = columns.map((column) => (column === "attributes" ? `${quote(column)}::jsonb` : quote(column))).join(", ");
      return `INSERT INTO ${target(table)} (${list(columns)}) SELECT ${values} FROM unnest(${parameters}) AS given (${list(columns)})
        ORDER BY project_id, id ON CONFLICT DO NOTHING`;
    },
  };
}

/** A completed generation replaces a pending one, never the other way round. No now(): the rows bring their times. */
function onConflict(table: TableSpec): string {
  if (table.onConflict === "keep") return "DO NOTHING";
  const changing = table.columns.filter((column) => !table.keyColumns.includes(column));
  const assignments = changing.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(", ");
  return `DO UPDATE SET ${assignments} WHERE t.generation_status = 'pending' AND excluded.generation_status <> 'pending'`;
}

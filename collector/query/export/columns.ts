import type { Ask } from "../reader.ts";
import { type Fragment, sql } from "../sql.ts";

/** How a value is written: numbers and JSON as they are, everything else as text. */
export type ColumnKind = "text" | "number" | "boolean" | "json";

export interface ExportColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** The column's type as SQL writes it. */
  readonly type: string;
  /** Whether its values may be long. */
  readonly large: boolean;
}

/** An export is of one project; the machinery's own columns mean nothing elsewhere, and what is made of other columns is made again. */
const LEFT_OUT = new Set(["project_id", "filled_from", "own_values", "provider_names", "provider_counts"]);

const KINDS: Readonly<Record<string, ColumnKind>> = {
  smallint: "number",
  integer: "number",
  bigint: "number",
  real: "number",
  "double precision": "number",
  numeric: "number",
  boolean: "boolean",
  json: "json",
  jsonb: "json",
  "text[]": "json",
};

const LARGE_TYPES = new Set(["text", "jsonb", "json", "bytea", "text[]"]);

/** The columns of a table in their order, also those that users have added. */
export async function readColumns(ask: Ask, table: string): Promise<ExportColumn[]> {
  const rows = await ask<{ name: string; type: string }>(sql`
    SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
    WHERE attrelid = to_regclass(quote_ident(${table})) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`);
  return rows
    .filter(({ name }) => !LEFT_OUT.has(name))
    .map(({ name, type }) => ({ name, type, kind: KINDS[type] ?? "text", large: LARGE_TYPES.has(type) }));
}

/** A column by its name in the catalog, which users may have chosen. */
export const columnSql = ({ name }: Pick<ExportColumn, "name">): Fragment => ({ texts: [`"${name.replaceAll('"', '""')}"`], values: [] });

/** A type by its name in the catalog. */
export const typeSql = ({ type }: ExportColumn): Fragment => ({ texts: [type], values: [] });

/** SQL for a column's value as text, exact to the last digit; times are left to the reader, which gives them as ISO 8601 in UTC with their microseconds. */
export function valueSql(column: ExportColumn): Fragment {
  const value = columnSql(column);
  if (column.type === "timestamp with time zone") return value;
  if (column.type === "boolean") return sql`CASE ${value} WHEN true THEN 'true' WHEN false THEN 'false' END`;
  return column.type === "text[]" ? sql`to_jsonb(${value})::text` : sql`${value}::text`;
}

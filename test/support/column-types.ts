import { readFileSync } from "node:fs";

const SCHEMA = new URL("../../schema/schema.sql", import.meta.url);

/** Type of each column by table, read from the committed dump of the catalog: an account of the tables that the encoder has no part in. */
export function columnTypes(table: string): ReadonlyMap<string, string> {
  const sql = readFileSync(SCHEMA, "utf8");
  const body = new RegExp(`CREATE TABLE ${table} \\(\\n([\\s\\S]*?)\\n\\)`).exec(sql)?.[1];
  if (body === undefined) throw new Error(`no table ${table} in schema.sql`);
  const types = new Map<string, string>();
  for (const line of body.split("\n")) {
    const [, name, type] = /^ {2}"?(\w+)"? (timestamp with time zone|double precision|[\w[\]]+)/.exec(line) ?? [];
    if (name !== undefined && type !== undefined && name !== "CONSTRAINT") types.set(name, type);
  }
  return types;
}

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** One numbered, forward-only SQL file. */
export interface Migration {
  readonly version: number;
  /** The file's name, `0001_telemetry.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text in hexadecimal digits; line ends count as `\n`, whatever the checkout made of them. */
  readonly checksum: string;
}

const MIGRATIONS_DIRECTORY = new URL("./migrations/", import.meta.url);
const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** All migrations in order of their numbers, which start at 1 and have no gap. Throws a plain Error where the directory breaks that rule. */
export function loadMigrations(directory: URL = MIGRATIONS_DIRECTORY): readonly Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  return names.map((name, index) => {
    const version = Number(FILE_NAME.exec(name)?.[1]);
    if (version !== index + 1) throw new Error(`migration ${name}: expected number ${index + 1} in a name like 0001_telemetry.sql`);
    return toMigration(version, name, readFileSync(new URL(name, directory), "utf8"));
  });
}

export function toMigration(version: number, name: string, text: string): Migration {
  const sql = text.replaceAll("\r\n", "\n");
  return { version, name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

type RelationKind = "TABLE" | "VIEW" | "INDEX";

/** Names of the tables, views and indexes that a migration makes, in order; only of the given kinds. */
export function createdRelations(migration: Migration, kinds: readonly RelationKind[] = ["TABLE", "VIEW", "INDEX"]): string[] {
  const statement = /^CREATE (?:UNIQUE )?(TABLE|VIEW|INDEX) (\w+)/gm;
  return Array.from(migration.sql.matchAll(statement))
    .filter(([, kind]) => kinds.includes(kind as RelationKind))
    .map(([, , name]) => name as string);
}

/** Names of the functions that a migration makes, in order. */
export const createdFunctions = (migration: Migration): string[] =>
  Array.from(migration.sql.matchAll(/^CREATE (?:OR REPLACE )?FUNCTION (\w+)/gm), ([, name]) => name as string);

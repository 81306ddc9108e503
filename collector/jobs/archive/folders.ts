import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Sql, TransactionSql } from "../../../schema/connect.ts";

/** The folders that may hold content of a project. */
export interface KnownFolders {
  readonly reachable: readonly string[];
  /** Content went there, and this machine has no such folder. */
  readonly unreachable: readonly string[];
}

export interface FolderQuestion {
  readonly sql: Sql;
  readonly schema: string;
  /** Undefined for all. */
  readonly projectId?: number;
  /** Looked at besides those that are noted. */
  readonly folders: readonly string[];
}

interface Note {
  readonly schema: string;
  readonly projectIds: readonly number[];
  readonly folder: string;
}

/** Remembers, before content goes to a folder, that it does. */
export async function noteFolder(sql: Sql | TransactionSql, { schema, projectIds, folder }: Note): Promise<void> {
  await sql`
    INSERT INTO ${sql(schema)}.archive_folders (project_id, folder, first_used_at)
    SELECT project_id, ${resolve(folder)}, clock_timestamp() FROM unnest(${[...projectIds]}::int[]) AS given (project_id) ON CONFLICT DO NOTHING`;
}

/** Where archived content lies, whichever collector or command put it there. */
export async function knownFolders({ sql, schema, projectId, folders }: FolderQuestion): Promise<KnownFolders> {
  const noted = await sql<{ folder: string }[]>`
    SELECT DISTINCT folder FROM ${sql(schema)}.archive_folders WHERE project_id = ${projectId ?? null}::int OR ${projectId ?? null}::int IS NULL ORDER BY folder`;
  const all = new Set([...folders.map((folder) => resolve(folder)), ...noted.map(({ folder }) => folder)]);
  const reachable = [...all].filter((folder) => existsSync(folder));
  return { reachable, unreachable: noted.map(({ folder }) => folder).filter((folder) => !reachable.includes(folder)) };
}

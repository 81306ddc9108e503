import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { errorCode } from "../base/error-code.ts";
import { RequestError } from "../base/request-error.ts";
import { SPAN_TABLES } from "../model/span-tables.ts";
import { audit } from "./audit.ts";
import { REMEMBERED } from "./erase/remembered.ts";
import { partsOf } from "./parts.ts";
import type { Writer } from "./writer.ts";

/** What the end of a project needs outside of the tables. */
export interface ProjectEnd {
  /** Takes its files away; gives how many those were, and how many folders with more of them are not on this machine. */
  readonly eraseFiles: (projectId: number) => Promise<{ readonly files: number; readonly unreached: number }>;
  /** Takes a login of the database away. */
  readonly dropLogin: (login: string) => Promise<void>;
}

export interface ProjectDeletion extends Writer, ProjectEnd {
  readonly projectId: number;
  readonly actor: string;
}

/** Rows that went, by table; `files` of the archive and `logins` of the database; `unreached_archives` still have files. */
export type Gone = Readonly<Record<string, number>>;

/** What arrives without a key belongs to it. */
export const DEFAULT_PROJECT = 1;

/** Every table with rows of projects, but for those that tell of a deleted one: projects, api_keys, audit_log, archive_folders. */
export const PROJECT_TABLES = [
  ...SPAN_TABLES,
  "deleted_images",
  "review_claims",
  "blobs",
  "resources",
  "scopes",
  "ingest_rejected",
  "usage_hours",
  "usage_days",
  "usage_dirty_hours",
  "quality_rules",
  "quality_progress",
  "alert_events",
  "alert_channels",
  "alert_rules",
  "model_prices",
  "tombstones",
  "word_signatures",
  "word_dirty_hours",
  "released_origins",
  "erasures",
] as const;

/**
 * Deletes a project for good. First its keys end, then everything in it goes: what a collector that had not heard of it was still writing is found by
 * `sweepDeletedProjects`, as is what a broken-off deletion left. Its number, its ended keys and its audit log stay, without names and subjects. Throws
 * RequestError where there is no such project, and for the one that takes what has no key.
 */
export async function deleteProject(deletion: ProjectDeletion): Promise<Gone> {
  const { sql, schema, projectId, actor } = deletion;
  if (projectId === DEFAULT_PROJECT)
    throw new RequestError("conflict", "project 1 takes what arrives without a key, so it stays: erase or prune what is in it");
  await close(deletion);
  const logins = await sql<{ login: string }[]>`SELECT login FROM ${sql(schema)}.sql_logins WHERE project_id = ${projectId}`;
  for (const { login } of logins) await deletion.dropLogin(login);
  const rows = await deleteProjectRows(deletion, projectId);
  const { files, unreached } = await deletion.eraseFiles(projectId);
  const outside = { files, logins: logins.length, unreached_archives: unreached };
  const gone = { ...rows, ...Object.fromEntries(Object.entries(outside).filter(([, count]) => count > 0)) };
  await audit(sql, schema, { projectId, actor, action: "project.delete", subject: String(projectId), details: { deleted: gone } });
  return gone;
}

/** Rows of each table that the end of a project would take. Counts them, so it takes its time on a large one. */
export async function previewProjectEnd({ sql, schema }: Writer, projectId: number): Promise<Gone> {
  const rows: Record<string, number> = {};
  for (const table of PROJECT_TABLES) {
    const [counted] = await sql<[{ rows: number }]>`
      SELECT count(*)::float8 AS rows FROM ${sql(schema)}.${sql(table)} WHERE project_id = ${projectId}`;
    if (counted.rows > 0) rows[table] = counted.rows;
  }
  return rows;
}

/** From here on there is no such project: no key of it opens anything, and its name is free. */
const close = ({ sql, schema, projectId }: ProjectDeletion): Promise<unknown> =>
  sql.begin(async (tx) => {
    const [closed] = await tx`
      UPDATE ${tx(schema)}.projects SET deleted_at = clock_timestamp(), name = ${`deleted-${randomUUID()}`}
      WHERE id = ${projectId} AND deleted_at IS NULL RETURNING id`;
    if (closed === undefined) throw new RequestError("not_found", "there is no such project");
    await tx`UPDATE ${tx(schema)}.api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()), name = 'deleted' WHERE project_id = ${projectId}`;
    await tx`SELECT set_config('genspan.erasing', 'on', true)`;
    await tx`UPDATE ${tx(schema)}.audit_log SET subject = 'erased', details = '{"erased": true}' WHERE project_id = ${projectId}`;
  });

/** Deletes what came into deleted projects after all, from collectors that were cut off for no longer than REMEMBERED. Gives the number of rows. */
export async function sweepDeletedProjects({ sql, schema }: Writer): Promise<number> {
  const deleted = await sql<{ id: number }[]>`
    SELECT id FROM ${sql(schema)}.projects WHERE deleted_at > clock_timestamp() - ${REMEMBERED}::interval`;
  let rows = 0;
  for (const { id } of deleted) rows += Object.values(await deleteProjectRows({ sql, schema }, id)).reduce((sum, each) => sum + each, 0);
  return rows;
}

async function deleteProjectRows({ sql, schema }: Writer, projectId: number): Promise<Gone> {
  const gone: Record<string, number> = {};
  for (const table of PROJECT_TABLES) {
    for (const part of await partsOf(sql, schema, table)) {
      const rows = await deletePart({ sql, schema }, part, projectId);
      if (rows > 0) gone[table] = (gone[table] ?? 0) + rows;
    }
  }
  return gone;
}

/** Rows of one statement, so that no lock is held for long. */
const BATCH_ROWS = 2_000;
const ATTEMPTS = 5;
const DEADLOCK = "40P01";
/** Retention dropped the partition meanwhile. */
const NO_TABLE = "42P01";

async function deletePart({ sql, schema }: Writer, part: string, projectId: number): Promise<number> {
  const table = (on: Sql) => on`${on(schema)}.${on(part)}`;
  let rows = 0;
  for (let failures = 0; ; ) {
    try {
      const { count } = await sql`
        DELETE FROM ${table(sql)} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table(sql)} WHERE project_id = ${projectId} LIMIT ${BATCH_ROWS}))`;
      if (count === 0) return rows;
      rows += count;
    } catch (error) {
      const code = errorCode(error);
      if (code === NO_TABLE) return rows;
      if (code !== DEADLOCK || ++failures === ATTEMPTS) throw error;
    }
  }
}

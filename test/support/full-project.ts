import type { Sql } from "../../schema/connect.ts";
import { idsOf } from "./generation-rows.ts";

/** Stands in every text of a project filled by `fillProject`, and as a number in every count. */
export const CANARY = "canary-of-the-other-project";
export const CANARY_NUMBER = 471_108;

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
}

/** Values that a column's type alone does not tell: what its constraint allows, and what points to other rows. */
const VALUES: Readonly<Record<string, unknown>> = {
  generation_status: "success",
  prompt_format: "text",
  response_format: "text",
  content_state: "captured",
  quality_status: "pending_review",
  closed_by: "report",
  source: "review",
  direction: "output",
  modality: "image",
  media_type: "image/png",
  subject_kind: "user",
  origin_kind: "resources",
  last_state: "ok",
  target: "output",
  scopes: ["read", "admin"],
  kind: 1,
  status_code: 0,
  model_top_p: 1,
};
const STATUS: Readonly<Record<string, string>> = { generation_runs: "running", generation_items: "completed", image_traces: "failed" };

/** Ids of the rows of a filled project. */
export interface FullProjectIds {
  /** Of all tables whose id is a UUID, unless `byTable` says otherwise. */
  readonly uuid: string;
  readonly byTable?: Readonly<Record<string, string>>;
  /** Hash of the stored content. */
  readonly sha256: Buffer;
}

/**
 * Puts a row into every table that has rows of projects, whatever tables and columns there are: text is the canary, numbers are its number. Gives the
 * tables. A constraint that these values break fails the test that asks for them.
 */
export async function fillProject(owner: Sql, projectId: number, ids: FullProjectIds): Promise<string[]> {
  const columns = await owner<Column[]>`
    SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, NULL) AS type
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'sql_logins'
      AND EXISTS (SELECT FROM pg_attribute p WHERE p.attrelid = c.oid AND p.attname = 'project_id') ORDER BY c.relname, a.attnum`;
  const tables = [...new Set(columns.map(({ table }) => table))];
  for (const table of tables) {
    const own = columns.filter((column) => column.table === table);
    const row = Object.fromEntries(own.map((column) => [column.name, columnValue(owner, column, { projectId, ids })]));
    await owner`INSERT INTO ${owner(table)} ${owner(row)}`;
  }
  return tables;
}

function columnValue(owner: Sql, { table, name, type }: Column, { projectId, ids }: { projectId: number; ids: FullProjectIds }): unknown {
  const { trace_id, span_id } = idsOf(1);
  if (name === "project_id") return projectId;
  if (name === "trace_id") return trace_id;
  if (name === "span_id") return span_id;
  if (name === "status") return STATUS[table] ?? CANARY;
  if (name === "kind" && type === "text") return CANARY;
  if (name in VALUES) return VALUES[name];
  switch (type) {
    case "uuid":
      return ids.byTable?.[table] ?? ids.uuid;
    case "bytea":
      return table === "blobs" || table === "outputs"
        ? name === "content"
          ? Buffer.from(CANARY)
          : ids.sha256
        : Buffer.alloc(32, projectId);
    case "jsonb":
      return owner.json({ [CANARY]: CANARY, count: CANARY_NUMBER });
    case "text":
      return CANARY;
    case "text[]":
      return [CANARY];
    case "integer[]":
    case "bigint[]":
      return [CANARY_NUMBER];
    case "boolean":
      return true;
    case "smallint":
      return 1;
    case "timestamp with time zone":
      return new Date();
    default:
      return CANARY_NUMBER;
  }
}

/** Every row of a project in every table, as text, whatever may have been done to it; `kept` names tables to leave out. */
export async function rowsOfProject(owner: Sql, projectId: number, kept: readonly string[] = []): Promise<string[]> {
  const tables = await owner<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'project_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`;
  const rows = await Promise.all(
    tables
      .filter(({ name }) => !kept.includes(name))
      .map(async ({ name }) =>
        (await owner<{ row: string }[]>`SELECT t::text AS row FROM ${owner(name)} t WHERE project_id = ${projectId} ORDER BY 1`).map(
          ({ row }) => `${name}: ${row}`,
        ),
      ),
  );
  return rows.flat();
}

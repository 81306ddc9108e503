import type { Sql } from "postgres";
import { audit } from "./audit.ts";
import { findSpans, type Target } from "./erase/find-spans.ts";
import { type EraseOptions, erase } from "./erase/index.ts";
import type { Writer } from "./writer.ts";

export interface UnlinkedOptions extends Writer {
  readonly projectId: number;
  /** Calls that began before this and announced an entity that never came. */
  readonly before: Date;
}

/** A call that said what kind of record it would make, and of which no record ever came. */
export interface UnlinkedCall {
  readonly id: string;
  readonly start_time: Date;
  readonly entity_type: string;
  readonly model_name: string | null;
  readonly generation_status: string;
}

const MAX_ROWS = 10_000;

const isUnlinked = ({ sql, projectId, before }: UnlinkedOptions) =>
  sql`project_id = ${projectId} AND start_time < ${before} AND entity_type IS NOT NULL AND entity_id IS NULL AND generation_status <> 'pending'`;

/** How many there are. */
export async function countUnlinked(options: UnlinkedOptions): Promise<number> {
  const { sql, schema } = options;
  const [found] = await sql<
    [{ rows: number }]
  >`SELECT count(*)::float8 AS rows FROM ${sql(schema)}.generation_logs WHERE ${isUnlinked(options)}`;
  return found.rows;
}

/** Such calls, oldest first, at most 10,000. */
export const findUnlinked = async (options: UnlinkedOptions, atMost = MAX_ROWS): Promise<UnlinkedCall[]> => [
  ...(await options.sql<UnlinkedCall[]>`
    SELECT id, start_time, entity_type, model_name, generation_status FROM ${options.sql(options.schema)}.generation_logs
    WHERE ${isUnlinked(options)} ORDER BY start_time LIMIT ${atMost}`),
];

export interface PruneUnlinkedOptions extends UnlinkedOptions, Pick<EraseOptions, "eraseFiles"> {
  readonly actor: string;
  /** Calls looked up at once. */
  readonly batchRows?: number;
}

/** Removes all of them with everything about them, also in files, as an erasure does; a later link finds nothing any more. Gives their number. */
export async function pruneUnlinked({ eraseFiles, actor, batchRows = MAX_ROWS, ...options }: PruneUnlinkedOptions): Promise<number> {
  const { schema, projectId } = options;
  const sql: Sql = options.sql;
  let rows = 0;
  for (let calls = await findUnlinked(options, batchRows); calls.length > 0; calls = await findUnlinked(options, batchRows)) {
    const targets: Target[] = [];
    for (const { id } of calls) {
      const subject = { kind: "generation", value: id } as const;
      targets.push(...(await findSpans({ sql, schema, projectId }, subject)));
      await erase({ sql, schema, projectId, actor }, subject);
    }
    // Once for all: each time reads every file.
    await eraseFiles?.(projectId, targets, { kind: "generation", value: "" });
    rows += calls.length;
  }
  const details = { rows, before: options.before.toISOString() };
  await audit(sql, schema, { projectId, actor, action: "prune.unlinked", details });
  return rows;
}

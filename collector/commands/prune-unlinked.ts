import type { Sql } from "postgres";
import { audit } from "./audit.ts";
import { erase } from "./erase/index.ts";
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

/** Such calls, oldest first, at most 10,000. */
export const findUnlinked = async ({ sql, schema, projectId, before }: UnlinkedOptions): Promise<UnlinkedCall[]> => [
  ...(await sql<UnlinkedCall[]>`
    SELECT id, start_time, entity_type, model_name, generation_status FROM ${sql(schema)}.generation_logs
    WHERE project_id = ${projectId} AND start_time < ${before} AND entity_type IS NOT NULL AND entity_id IS NULL AND generation_status <> 'pending'
    ORDER BY start_time LIMIT ${MAX_ROWS}`),
];

/** Removes them with everything about them, as an erasure does; a later link finds nothing any more. Gives their number. */
export async function pruneUnlinked(options: UnlinkedOptions, actor: string): Promise<number> {
  const { schema, projectId } = options;
  const sql: Sql = options.sql;
  const calls = await findUnlinked(options);
  for (const { id } of calls) await erase({ sql, schema, projectId, actor }, { kind: "generation", value: id });
  await audit(sql, schema, {
    projectId,
    actor,
    action: "prune.unlinked",
    details: { rows: calls.length, before: options.before.toISOString() },
  });
  return calls.length;
}

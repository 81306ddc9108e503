import { SPAN_TABLES } from "../../model/span-tables.ts";
import type { Reader, ReadScope } from "../reader.ts";
import { type Fragment, name, sql } from "../sql.ts";

/** A span, or with an empty `span_id` a whole trace. */
export interface SpanTarget {
  readonly trace_id: string;
  readonly span_id: string;
}

/** Besides spans: rows by the entity that they belong to. */
export interface EntityTarget {
  readonly type: string;
  readonly id: string;
}

const ENTITY_TABLES = ["image_traces", "generation_items"] as const;
const BATCH = 50;
const READ_TIMEOUT_MS = 60_000;

/** Everything stored about the spans and the entity, a line of JSON per row: `{"table": "spans", "row": {…}}`. Binary content is named by its hash. */
export async function* readEverything(
  reader: Reader,
  projectId: number,
  { spans, entity }: { readonly spans: readonly SpanTarget[]; readonly entity: EntityTarget | undefined },
): AsyncGenerator<string> {
  const scope: ReadScope = { projectId, timeoutMillis: READ_TIMEOUT_MS };
  const lines = async (table: string, where: Fragment): Promise<string> => {
    const rows = await reader.read(scope, (ask) =>
      ask<{ line: string }>(sql`SELECT (to_jsonb(t) - 'project_id')::text AS line FROM ${name(table)} t WHERE ${where}`),
    );
    return rows.map(({ line }) => `{"table":"${table}","row":${line}}\n`).join("");
  };
  for (let from = 0; from < spans.length; from += BATCH) {
    const batch = spans.slice(from, from + BATCH);
    const given = sql`unnest(${batch.map((each) => each.trace_id)}::text[], ${batch.map((each) => each.span_id)}::text[]) AS e (wanted_trace, wanted_span)`;
    const isWanted = sql`EXISTS (SELECT FROM ${given} WHERE t.trace_id = wanted_trace AND (wanted_span = '' OR t.span_id = wanted_span))`;
    const traces = sql`t.trace_id = ANY(${batch.map((each) => each.trace_id)}::text[])`;
    for (const table of SPAN_TABLES) yield await lines(table, sql`${traces} AND ${isWanted}`);
  }
  if (entity === undefined) return;
  for (const table of ENTITY_TABLES)
    yield await lines(table, sql`trace_id IS NULL AND entity_type = ${entity.type} AND entity_id = ${entity.id}`);
}

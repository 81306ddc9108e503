import type { TransactionSql } from "postgres";
import { audit } from "./audit.ts";
import type { Writer } from "./writer.ts";

export interface ImageDeletion {
  readonly projectId: number;
  readonly actor: string;
  /** Ids of the traces to delete. */
  readonly ids: readonly string[];
  /** How they were chosen, for the audit log. */
  readonly reason: string;
}

/**
 * Deletes image traces and the records they were made of. They do not come back when the same records are sent again. Model calls and their pictures stay: those
 * are what `genspan erase` is for. Returns how many there were.
 */
export async function deleteImages({ sql, schema }: Writer, { projectId, actor, ids, reason }: ImageDeletion): Promise<number> {
  return sql.begin(async (tx) => {
    const deleted = await tx<{ id: string; trace_id: string | null; span_id: string | null }[]>`
      DELETE FROM ${tx(schema)}.image_traces WHERE project_id = ${projectId} AND id = ANY(${[...ids]}::uuid[]) RETURNING id, trace_id, span_id`;
    if (deleted.length === 0) return 0;
    await tx`INSERT INTO ${tx(schema)}.deleted_images (project_id, id, deleted_at)
      SELECT ${projectId}, id, ${new Date()} FROM unnest(${deleted.map(({ id }) => id)}::uuid[]) AS id ON CONFLICT DO NOTHING`;
    await deleteRecords(tx, schema, { projectId, spans: deleted });
    const subject = deleted.length === 1 ? { subject: deleted[0]!.id } : {};
    await audit(tx, schema, { projectId, actor, action: "image.delete", ...subject, details: { count: deleted.length, reason } });
    return deleted.length;
  });
}

interface Records {
  readonly projectId: number;
  readonly spans: readonly { readonly trace_id: string | null; readonly span_id: string | null }[];
}

/** The image's own record, its announcement and its attempts hold the prompts as well. */
async function deleteRecords(tx: TransactionSql, schema: string, { projectId, spans }: Records): Promise<void> {
  const traceIds = spans.map(({ trace_id }) => trace_id);
  const spanIds = spans.map(({ span_id }) => span_id);
  await tx`
    DELETE FROM ${tx(schema)}.generation_attempts a USING unnest(${traceIds}::text[], ${spanIds}::text[]) AS image (trace_id, span_id)
    WHERE a.project_id = ${projectId} AND a.trace_id = image.trace_id AND a.span_id = image.span_id
      AND NOT EXISTS (SELECT FROM ${tx(schema)}.generation_logs g WHERE g.project_id = a.project_id AND g.trace_id = a.trace_id AND g.span_id = a.span_id)`;
  await tx`
    DELETE FROM ${tx(schema)}.spans s USING unnest(${traceIds}::text[], ${spanIds}::text[]) AS image (trace_id, span_id)
    WHERE s.project_id = ${projectId} AND s.trace_id = image.trace_id
      AND ((s.span_id = image.span_id AND s.attributes ->> 'genspan.record' = 'image')
        OR (s.parent_span_id = image.span_id AND s.attributes ->> 'genspan.record' IN ('attempt', 'pending', 'update')))`;
}

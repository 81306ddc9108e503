import { RequestError } from "../../base/request-error.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** A call by its ids, as its `id` column and the SDK's reference write it. */
export interface GenerationRef {
  readonly traceId: string;
  readonly spanId: string;
}

const REFERENCE = /^([0-9a-f]{32})-([0-9a-f]{16})$/;

/** Reads `traceid-spanid`, in either case. Throws RequestError for anything else. */
export function readReference(text: string): GenerationRef {
  const [, traceId, spanId] = REFERENCE.exec(text.toLowerCase()) ?? [];
  if (traceId === undefined || spanId === undefined)
    throw new RequestError("bad_request", "a model call is named by its id, 32 and 16 hexadecimal digits with - between");
  return { traceId, spanId };
}

/**
 * The counted call that a reference means: of a call told twice, the telling that our SDK knows may be the one set aside. The reference itself where nothing of that
 * kind is known. Throws RequestError for anything else than a reference.
 */
export async function findCall(reader: Reader, projectId: number, text: string): Promise<GenerationRef> {
  const { traceId, spanId } = readReference(text);
  const [twin] = await reader.read({ projectId }, (ask) =>
    ask<{ spanId: string }>(sql`
      SELECT survivor_span_id AS "spanId" FROM generation_twins
      WHERE project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${spanId} AND survivor_span_id IS NOT NULL
      ORDER BY start_time DESC LIMIT 1`),
  );
  return { traceId, spanId: twin?.spanId ?? spanId };
}

export const notFound = (): RequestError => new RequestError("not_found", "there is no such model call in this project");

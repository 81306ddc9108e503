import type { TransactionSql } from "postgres";
import { BLOB_SCHEME } from "../rows/blobs.ts";
import { extractMedia, type MediaPart } from "../rows/message-media.ts";
import type { CallKey } from "./facts.ts";
import type { RowChange } from "./plan.ts";

interface Outputs {
  readonly schema: string;
  readonly projectId: number;
  readonly traceId: string;
  readonly change: RowChange;
}

/** Images, sounds and files of messages that were filled in count from here; those of the call's own span from 0. */
const FILLED_FROM = 10_000;

const DIRECTIONS = [
  { group: "prompt", column: "prompt_full_text", direction: "input", first: FILLED_FROM },
  { group: "response", column: "response_full_text", direction: "output", first: 2 * FILLED_FROM },
] as const;

/** Makes the outputs of a call anew where its prompt or response was filled in, or was so far. */
export async function writeFilledOutputs(tx: TransactionSql, { schema, projectId, traceId, change }: Outputs): Promise<void> {
  const isContent = (group: string): boolean => group === "prompt" || group === "response";
  const { key, reset, copies, columns } = change;
  if (!reset.some(isContent) && !copies.some(({ group }) => isContent(group)) && !DIRECTIONS.some(({ column }) => column in columns))
    return;
  const of = ({ spanId, startTime }: CallKey) =>
    tx`project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${spanId} AND start_time = ${startTime}::text::timestamptz`;
  await tx`DELETE FROM ${tx(schema)}.outputs WHERE ${of(key)} AND output_number >= ${FILLED_FROM}`;
  for (const { group, column, direction, first } of DIRECTIONS) {
    const copy = copies.find((each) => each.group === group);
    if (copy !== undefined) {
      await tx`
        INSERT INTO ${tx(schema)}.outputs (project_id, trace_id, span_id, start_time, output_number, direction, modality, media_type, blob_hash, uri, received_at)
        SELECT project_id, trace_id, ${key.spanId}, ${key.startTime}::text::timestamptz, ${first} + output_number % ${FILLED_FROM}, direction, modality, media_type,
          blob_hash, uri, received_at FROM ${tx(schema)}.outputs WHERE ${of(copy.from)} AND direction = ${direction} ON CONFLICT DO NOTHING`;
    }
    const text = columns[column];
    const media = typeof text === "string" ? extractMedia(text).media : [];
    for (const [i, { modality, mediaType, uri }] of media.entries()) {
      await tx`
        INSERT INTO ${tx(schema)}.outputs (project_id, trace_id, span_id, start_time, output_number, direction, modality, media_type, blob_hash, uri, received_at)
        VALUES (${projectId}, ${traceId}, ${key.spanId}, ${key.startTime}::text::timestamptz, ${first + i}, ${direction}, ${modality ?? null}, ${mediaType ?? null},
          ${hashOf(uri)}, ${hashOf(uri) === null ? (uri ?? null) : null}, now()) ON CONFLICT DO NOTHING`;
    }
  }
}

/** The hash that a stored message names a blob by. */
function hashOf(uri: MediaPart["uri"]): Buffer | null {
  return uri?.startsWith(BLOB_SCHEME) === true ? Buffer.from(uri.slice(BLOB_SCHEME.length), "hex") : null;
}

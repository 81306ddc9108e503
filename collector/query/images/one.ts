import { RequestError } from "../../base/request-error.ts";
import type { ExactNumber } from "../exact.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { type ImageOrigin, type ImageTraceRow, ORIGIN_COLUMNS, TRACE_COLUMNS } from "./list.ts";

/** A picture that is stored, or that its service keeps under an address. */
export interface ImageOutput {
  readonly span_id: string;
  readonly output_number: number;
  readonly media_type: string | null;
  readonly size_bytes: ExactNumber | null;
  /** SHA-256 in hexadecimal; NULL where only an address is known. */
  readonly sha256: string | null;
  readonly uri: string | null;
}

export interface ImageDetail extends ImageTraceRow, ImageOrigin {
  readonly outputs: readonly ImageOutput[];
}

/** One request for images with the pictures of the calls that made it, be they made in the request itself or in one of its attempts. */
export const readImage = (reader: Reader, projectId: number, id: string): Promise<ImageDetail> =>
  reader.read({ projectId }, async (ask) => {
    const [image] = await ask<Omit<ImageDetail, "outputs">>(sql`
      SELECT ${TRACE_COLUMNS}, ${ORIGIN_COLUMNS}
      FROM image_traces WHERE project_id = ${projectId} AND id = ${id}::uuid`);
    if (image === undefined) throw new RequestError("not_found", "there is no such request for images");
    if (image.trace_id === null || image.span_id === null) return { ...image, outputs: [] };
    const outputs = await ask<ImageOutput>(sql`
      SELECT o.span_id, o.output_number, o.media_type, b.size_bytes, encode(o.blob_hash, 'hex') AS sha256, o.uri
      FROM outputs o LEFT JOIN blobs b ON b.project_id = o.project_id AND b.hash = o.blob_hash
      WHERE o.project_id = ${projectId} AND o.trace_id = ${image.trace_id} AND o.direction = 'output' AND o.modality = 'image'
        AND (o.span_id = ${image.span_id} OR EXISTS (SELECT FROM generation_logs g WHERE g.project_id = o.project_id AND g.trace_id = o.trace_id
          AND g.span_id = o.span_id AND (g.parent_span_id = ${image.span_id} OR EXISTS (SELECT FROM spans s WHERE s.project_id = g.project_id
            AND s.trace_id = g.trace_id AND s.span_id = g.parent_span_id AND s.parent_span_id = ${image.span_id}))))
      ORDER BY o.start_time, o.span_id, o.output_number LIMIT 100`);
    return { ...image, outputs };
  });

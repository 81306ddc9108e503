import type { ByteWriter } from "../base/byte-writer.ts";
import type { Blob } from "./blobs.ts";
import { copyInt4, copyInt8, copyMillis, copyNull, copyString } from "./copy-row.ts";
import type { MediaPart } from "./message-media.ts";
import { copySpanKey, type SpanKey } from "./row-key.ts";
import { BLOBS, OUTPUTS } from "./table-spec.ts";
import { optionalString } from "./values.ts";

/** A media part of one call, numbered within it. */
export interface CallMedia extends MediaPart {
  readonly direction: "input" | "output";
  readonly number: number;
}

/** Writes the row of table outputs (field order of OUTPUTS.columns). */
export function encodeOutputRow(out: ByteWriter, key: SpanKey, media: CallMedia): void {
  out.u16(OUTPUTS.columns.length);
  copySpanKey(out, key);
  copyInt4(out, media.number);
  copyString(out, media.direction);
  optionalString(out, media.modality);
  optionalString(out, media.mediaType);
  if (media.blob === undefined) copyNull(out);
  else copyBytes(out, media.blob.sha256);
  optionalString(out, media.uri);
  copyMillis(out, key.receivedAtMs);
}

/** Writes the row of table blobs (field order of BLOBS.columns). */
export function encodeBlobRow(out: ByteWriter, key: Pick<SpanKey, "projectId" | "receivedAtMs">, blob: Blob): void {
  out.u16(BLOBS.columns.length);
  copyInt4(out, key.projectId);
  copyBytes(out, blob.sha256);
  optionalString(out, blob.mediaType);
  copyInt8(out, blob.content.length);
  copyBytes(out, blob.content);
  copyMillis(out, key.receivedAtMs);
}

function copyBytes(out: ByteWriter, bytes: Buffer): void {
  out.u32(bytes.length);
  out.bytes(bytes, 0, bytes.length);
}

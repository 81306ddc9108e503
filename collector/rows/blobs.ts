import { createHash } from "node:crypto";
import { sizeOfBase64 } from "../base/base64.ts";
import { stringOf } from "../dialects/json.ts";
import { DATA_URL } from "../dialects/media-parts.ts";

/** Binary content of a message part. */
export interface Blob {
  readonly sha256: Buffer;
  readonly mediaType: string | undefined;
  readonly content: Buffer;
}

/** How a stored message names the blob that was in its place: `genspan-blob:<sha256 in hexadecimal>`. */
export const BLOB_SCHEME = "genspan-blob:";
/** Larger content is not stored: its message keeps the hash and the size. */
export const MAX_BLOB_BYTES = 20 * 1024 * 1024;

/** Binary content and the name by which messages refer to it; `blob` is undefined where it is too large to be stored. */
export interface NamedBlob {
  readonly blob: Blob | undefined;
  readonly uri: string;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number;
}

/** Undefined for what is no base64, or nothing. */
export function blobFromBase64(base64: string, mediaType: string | undefined): NamedBlob | undefined {
  const sizeBytes = sizeOfBase64(base64);
  if (sizeBytes === undefined || sizeBytes === 0) return undefined;
  const content = Buffer.from(base64, "base64");
  const sha256 = createHash("sha256").update(content).digest();
  const blob = sizeBytes > MAX_BLOB_BYTES ? undefined : { sha256, mediaType, content };
  return { blob, uri: `${BLOB_SCHEME}${sha256.toString("hex")}`, mediaType, sizeBytes };
}

export function blobFromDataUrl(url: string): NamedBlob | undefined {
  const head = DATA_URL.exec(url);
  return head === null ? undefined : blobFromBase64(url.slice(head[0].length), stringOf(head[1]));
}

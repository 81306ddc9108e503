import { hash } from "node:crypto";

/** First bytes of the formats that image models answer with. */
const SIGNATURES: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ["image/png", 0, "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", 0, "\xff\xd8\xff"],
  ["image/gif", 0, "GIF8"],
  ["image/webp", 8, "WEBP"],
  ["image/avif", 4, "ftypavif"],
  ["image/svg+xml", 0, "<svg"],
];

/** What is recorded of a picture in place of its bytes. */
export interface PictureFacts {
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** Media type by the first bytes; undefined where they say nothing. */
  readonly mimeType: string | undefined;
}

/** Size, hash and type of a picture. */
export function pictureFacts(image: Uint8Array): PictureFacts {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const starts = (text: string, offset: number): boolean => bytes.toString("latin1", offset, offset + text.length) === text;
  const [mimeType] = SIGNATURES.find(([, offset, text]) => starts(text, offset)) ?? [];
  return { sizeBytes: bytes.length, sha256: hash("sha256", bytes, "hex"), mimeType };
}

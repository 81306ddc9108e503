import { closeSync, openSync, readSync, statSync } from "node:fs";

/**
 * Stands in an archive's file at its beginning and after every member that was written in full: what lies behind the last one was cut off by a crash. It is an
 * empty gzip member, of which readers see nothing; compressed UTF-8 holds no such bytes.
 */
export const END_MARK = Buffer.from(`1f8b08000000000000030300${"00".repeat(8)}`, "hex");

const CHUNK_BYTES = 1024 * 1024;

/** Bytes of a file up to its last mark; all of a file that has none, and 0 of one that is not there. */
export function wholeBytes(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < END_MARK.length) return 0;
  const file = openSync(path, "r");
  try {
    // Chunks overlap by a mark, which may lie across their border.
    for (let end = size; end >= END_MARK.length; end -= CHUNK_BYTES - END_MARK.length) {
      const chunk = Buffer.alloc(Math.min(end, CHUNK_BYTES));
      const from = end - chunk.length;
      readSync(file, chunk, 0, chunk.length, from);
      const at = chunk.lastIndexOf(END_MARK);
      if (at >= 0) return from + at + END_MARK.length;
      if (from === 0) break;
    }
    return size;
  } finally {
    closeSync(file);
  }
}

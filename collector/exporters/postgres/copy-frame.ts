import type { ByteWriter } from "../../base/byte-writer.ts";
import type { RowRef } from "./batch.ts";

const COPY_DATA = 0x64;
/** Signature, flags and extension length of a binary COPY stream (PostgreSQL, COPY, "File Header"). */
const HEADER = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);

/** Appends one CopyData message with all rows to `out` and returns where it begins. */
export function frameRows(out: ByteWriter, rows: readonly RowRef[]): number {
  const begin = openFrame(out);
  for (const row of rows) out.bytes(row.bytes, row.start, row.end);
  closeFrame(out, begin);
  return begin;
}

/** As `frameRows`, with the row's number as an int4 in front of its own fields: for staging tables. */
export function frameNumberedRows(out: ByteWriter, rows: readonly RowRef[]): number {
  const begin = openFrame(out);
  rows.forEach((row, i) => {
    out.u16(row.bytes.readUInt16BE(row.start) + 1);
    out.u32(4);
    out.u32(i);
    out.bytes(row.bytes, row.start + 2, row.end);
  });
  closeFrame(out, begin);
  return begin;
}

function openFrame(out: ByteWriter): number {
  const begin = out.length;
  out.u8(COPY_DATA);
  out.u32(0);
  out.bytes(HEADER, 0, HEADER.length);
  return begin;
}

function closeFrame(out: ByteWriter, begin: number): void {
  out.u16(0xffff);
  out.setU32(begin + 1, out.length - begin - 1);
}

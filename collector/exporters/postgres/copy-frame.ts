import type { ByteWriter } from "../../base/byte-writer.ts";
import type { RowRef, TableRows } from "./gather.ts";

const COPY_DATA = 0x64;
/** A CopyData message's type and length word. */
const MESSAGE_HEAD_BYTES = 5;
/** Signature, flags and extension length of a binary COPY stream (PostgreSQL, COPY, "File Header"). */
const STREAM_HEADER = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
const STREAM_TRAILER = 0xffff;

/**
 * Messages are closed at about this size. The server takes in a message as a whole before it looks at the first row, so smaller ones
 * let it work while the rest is on its way.
 */
const MESSAGE_BYTES = 64 * 1024;

/** Frames the rows of each table as one binary COPY stream in CopyData messages; gives one view per table into `out`, valid until it is written again. */
export function frameTables(out: ByteWriter, tables: readonly TableRows[]): Buffer[] {
  out.clear();
  const begins = tables.map(({ rows }) => {
    const begin = out.length;
    frameRows(out, rows);
    return begin;
  });
  return begins.map((begin, i) => out.buffer.subarray(begin, begins[i + 1] ?? out.length));
}

function frameRows(out: ByteWriter, rows: readonly RowRef[]): void {
  let message = openMessage(out);
  out.bytes(STREAM_HEADER, 0, STREAM_HEADER.length);
  for (const { bytes, start, end } of rows) {
    if (out.length - message > MESSAGE_BYTES) {
      closeMessage(out, message);
      message = openMessage(out);
    }
    out.reserve(end - start);
    bytes.copy(out.buffer, out.length, start, end);
    out.length += end - start;
  }
  out.u16(STREAM_TRAILER);
  closeMessage(out, message);
}

function openMessage(out: ByteWriter): number {
  const begin = out.length;
  out.reserve(MESSAGE_HEAD_BYTES);
  out.buffer[begin] = COPY_DATA;
  out.length += MESSAGE_HEAD_BYTES;
  return begin;
}

/** The length counts itself but not the type. */
const closeMessage = (out: ByteWriter, begin: number): void => out.setU32(begin + 1, out.length - begin - 1);

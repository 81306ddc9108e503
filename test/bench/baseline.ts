import type { Sql } from "postgres";
import { ByteWriter } from "../../collector/base/byte-writer.ts";
import { GENERATION_LOGS, SPANS, type TableSpec } from "../../collector/rows/table-spec.ts";
import { SPANS_PER_REQUEST } from "./payloads.ts";
import { openPipe } from "./pipe.ts";

/** One transaction of the baseline, complete as it goes to the server. */
export interface PreparedBatch {
  readonly spans: number;
  readonly generations: number;
  readonly sql: string;
  /** For each COPY of `sql` its CopyData message. */
  readonly copies: readonly Buffer[];
}

const STREAM_HEADER = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
const END_OF_ROWS = 0xffff;
const COPY_DATA = 0x64;

/** The key's bytes: field count, project_id, then trace id and span id as text, each after a length word. */
const KEY_START = 2 + 8 + 4;
const KEY_END = KEY_START + 32 + 4 + 16;
const keyOf = (row: Buffer): string => row.toString("latin1", KEY_START, KEY_END);

/**
 * Takes the rows that the collector stored from its last load and makes transactions of them: the same tables, columns and values, one request's spans
 * each, rows in key order within a transaction as the collector writes them. Requests come in the order in which they were sent, so that keys arrive
 * as scattered as they did then.
 */
export async function prepareBaseline(sql: Sql, spansPerBatch = SPANS_PER_REQUEST): Promise<PreparedBatch[]> {
  const spans = await readRows(sql, SPANS);
  const generations = new Map((await readRows(sql, GENERATION_LOGS)).map((row) => [keyOf(row), row]));
  const batches: PreparedBatch[] = [];
  for (let at = 0; at < spans.length; at += spansPerBatch) {
    const keyed = spans.slice(at, at + spansPerBatch).map((row) => ({ key: keyOf(row), row }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
    batches.push(
      batchOf(
        keyed.map(({ row }) => row),
        keyed.flatMap(({ key }) => generations.get(key) ?? []),
      ),
    );
  }
  return batches;
}

function batchOf(spans: readonly Buffer[], generations: readonly Buffer[]): PreparedBatch {
  const tables: readonly [TableSpec, readonly Buffer[]][] = [
    [SPANS, spans],
    [GENERATION_LOGS, generations],
  ];
  const filled = tables.filter(([, rows]) => rows.length > 0);
  const copies = filled.map(([table]) => `COPY ${table.name} (${table.columns.join(", ")}) FROM STDIN (FORMAT binary)`);
  return {
    spans: spans.length,
    generations: generations.length,
    sql: ["BEGIN", ...copies, "COMMIT"].join("; "),
    copies: filled.map(([, rows]) => copyData(rows)),
  };
}

/** The rows of a table in the binary form of COPY, in the order of their start times, which is that of the requests. */
async function readRows(sql: Sql, table: TableSpec): Promise<Buffer[]> {
  const query = `COPY (SELECT ${table.columns.join(", ")} FROM ${table.name} ORDER BY start_time) TO STDOUT (FORMAT binary)`;
  const chunks: Buffer[] = [];
  for await (const chunk of await sql.unsafe(query).readable()) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const rows: Buffer[] = [];
  for (let at = STREAM_HEADER.length; bytes.readInt16BE(at) !== -1; ) {
    const start = at;
    at = rowEnd(bytes, at);
    rows.push(bytes.subarray(start, at));
  }
  return rows;
}

function rowEnd(bytes: Buffer, start: number): number {
  let at = start + 2;
  for (let field = bytes.readInt16BE(start); field > 0; field--) at += 4 + Math.max(0, bytes.readInt32BE(at));
  return at;
}

function copyData(rows: readonly Buffer[]): Buffer {
  const out = new ByteWriter(rows.reduce((sum, row) => sum + row.length, 64));
  out.u8(COPY_DATA);
  out.u32(0);
  out.bytes(STREAM_HEADER, 0, STREAM_HEADER.length);
  for (const row of rows) out.bytes(row, 0, row.length);
  out.u16(END_OF_ROWS);
  out.setU32(1, out.length - 1);
  return out.view();
}

/** Writes all batches over `connections` sessions, each batch a transaction. The tables must not hold these rows. */
export async function writeBaseline(url: string, batches: readonly PreparedBatch[], connections = 2): Promise<{ spansPerSecond: number }> {
  const pipes = await Promise.all(Array.from({ length: connections }, () => openPipe(url)));
  let next = 0;
  const began = performance.now();
  await Promise.all(
    pipes.map(async (pipe) => {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) await pipe.copy(batch.sql, batch.copies);
    }),
  );
  const wallMillis = performance.now() - began;
  await Promise.all(pipes.map((pipe) => pipe.close()));
  return { spansPerSecond: batches.reduce((sum, batch) => sum + batch.spans, 0) / (wallMillis / 1000) };
}

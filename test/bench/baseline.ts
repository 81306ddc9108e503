import postgres, { type Sql } from "postgres";
import { ByteWriter } from "../../collector/base/byte-writer.ts";
import { createStatements } from "../../collector/exporters/postgres/statements.ts";
import { GENERATION_LOGS, SPANS, type TableSpec } from "../../collector/rows/table-spec.ts";
import { SPANS_PER_REQUEST } from "./payloads.ts";
import { openPipe, type Pipe } from "./pipe.ts";

/** Rows of one transaction, complete as CopyData messages. */
interface PreparedBatch {
  readonly spans: number;
  readonly sql: string;
  readonly copies: readonly Buffer[];
}

const HEADER = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
/** Where the trace id stands in a row: field count, project_id, length. */
const TRACE_AT = 2 + 8 + 4;
const KEY_HEX = 32 + 4 + 16;

/** The rows that are in a table now, as COPY gives them, in key order. */
async function readRows(sql: Sql, table: TableSpec): Promise<Buffer[]> {
  const query = `COPY (SELECT ${table.columns.join(", ")} FROM ${table.name} ORDER BY trace_id, span_id) TO STDOUT (FORMAT binary)`;
  const chunks: Buffer[] = [];
  for await (const chunk of await sql.unsafe(query).readable()) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const rows: Buffer[] = [];
  for (let at = HEADER.length; bytes.readInt16BE(at) !== -1; ) {
    const start = at;
    const fields = bytes.readInt16BE(at);
    at += 2;
    for (let i = 0; i < fields; i++) at += 4 + Math.max(0, bytes.readInt32BE(at));
    rows.push(bytes.subarray(start, at));
  }
  return rows;
}

const keyOf = (row: Buffer): string => row.toString("latin1", TRACE_AT, TRACE_AT + KEY_HEX);

/** Cuts what a sample run stored into transactions of one request's size each, the same tables and columns. */
export async function prepareBaseline(url: string, rowsPerBatch = SPANS_PER_REQUEST): Promise<PreparedBatch[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const spans = await readRows(sql, SPANS);
  const generations = await readRows(sql, GENERATION_LOGS);
  await sql.end();
  const statements = createStatements({ schema: "public", statementTimeoutMillis: 4000, lockTimeoutMillis: 2000 });
  const batches: PreparedBatch[] = [];
  let generation = 0;
  for (let at = 0; at < spans.length; at += rowsPerBatch) {
    const part = spans.slice(at, at + rowsPerBatch);
    const last = keyOf(part.at(-1)!);
    const first = generation;
    while (generation < generations.length && keyOf(generations[generation]!) <= last) generation++;
    const tables: [TableSpec, Buffer[]][] = [
      [GENERATION_LOGS, generations.slice(first, generation)],
      [SPANS, part],
    ];
    const filled = tables.filter(([, rows]) => rows.length > 0);
    batches.push({
      spans: part.length,
      sql: [...statements.begin, ...filled.map(([table]) => statements.copy(table)), "COMMIT"].join("; "),
      copies: filled.map(([, rows]) => frame(rows)),
    });
  }
  return batches;
}

function frame(rows: readonly Buffer[]): Buffer {
  const out = new ByteWriter(rows.reduce((sum, row) => sum + row.length, 64));
  out.u8(0x64);
  out.u32(0);
  out.bytes(HEADER, 0, HEADER.length);
  for (const row of rows) out.bytes(row, 0, row.length);
  out.u16(0xffff);
  out.setU32(1, out.length - 1);
  return out.view();
}

/** Writes all batches over `connections` sessions, each a transaction; resolves with the time it took. The tables must be empty of them. */
export async function writeBaseline(
  url: string,
  batches: readonly PreparedBatch[],
  connections = 2,
): Promise<{ wallMillis: number; spans: number }> {
  const pipes: Pipe[] = await Promise.all(Array.from({ length: connections }, () => openPipe(url)));
  let next = 0;
  const began = performance.now();
  await Promise.all(
    pipes.map(async (pipe) => {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) await pipe.copy(batch.sql, batch.copies);
    }),
  );
  const wallMillis = performance.now() - began;
  await Promise.all(pipes.map((pipe) => pipe.close()));
  return { wallMillis, spans: batches.reduce((sum, batch) => sum + batch.spans, 0) };
}

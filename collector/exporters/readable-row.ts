import type { TableSpec } from "../rows/table-spec.ts";

/** A row's columns that are not NULL, as a person reads them: times in RFC 3339, bytes as their number. */
export type ReadableRow = Readonly<Record<string, unknown>>;

/** Microseconds from 1970 to 2000, where PostgreSQL's clock begins. */
const PG_EPOCH_US = 946_684_800_000_000n;
/** int4 (length word) and int2 (field count) of binary COPY. */
const LENGTH_BYTES = 4;
const COUNT_BYTES = 2;

type Read = (value: Buffer) => unknown;

const int2: Read = (value) => value.readInt16BE(0);
const int4: Read = (value) => value.readInt32BE(0);
/** A number where no digit is lost, else its digits. */
const int8: Read = (value) => {
  const big = value.readBigInt64BE(0);
  return Number.isSafeInteger(Number(big)) ? Number(big) : String(big);
};
const float8: Read = (value) => value.readDoubleBE(0);
const timestamp: Read = (value) => new Date(Number((value.readBigInt64BE(0) + PG_EPOCH_US) / 1000n)).toISOString();
const uuid: Read = (value) => value.toString("hex");
const bytea: Read = (value) => `${value.length} bytes`;
const text: Read = (value) => value.toString("utf8");
/** The text after the version byte. */
const jsonb: Read = (value) => value.toString("utf8", 1);

/** Digits of base 10,000, the first of them worth 10,000 to the power of the weight. */
const numeric: Read = (value) => {
  const weight = value.readInt16BE(2);
  const sign = value.readUInt16BE(4) === 0x4000 ? -1 : 1;
  let sum = 0;
  for (let i = 0; i < value.readInt16BE(0); i++) sum += value.readInt16BE(8 + i * 2) * 10_000 ** (weight - i);
  return Number((sign * sum).toFixed(value.readUInt16BE(6)));
};

/** Types of all columns that are not text. A column's name has one type in all tables that are written here. */
const TYPES: readonly (readonly [read: Read, columns: string])[] = [
  [int2, "time_nano observed_nano start_nano end_nano kind status_code content_moved"],
  [int4, "project_id attempts_count severity_number output_number"],
  [
    int8,
    `size_bytes model_max_tokens model_seed tokens_prompt tokens_completion tokens_total tokens_reasoning tokens_cache_read tokens_cache_write
    response_created_at flags dropped_attributes_count duration_ns dropped_events_count dropped_links_count`,
  ],
  [
    float8,
    `model_temperature model_top_p model_top_k model_frequency_penalty model_presence_penalty duration_ms time_to_first_token_ms
    quality_score value`,
  ],
  [numeric, "cost_amount"],
  [timestamp, "received_at start_time end_time logged_at updated_at time observed_time"],
  [uuid, "id resource_id scope_id"],
  [bytea, "hash content raw blob_hash"],
  [
    jsonb,
    "prompt_modules_used prompt_variables model_stop_sequences model_parameters quality_issues additional_metadata body attributes ingest_notes events links",
  ],
];
const READERS = new Map(TYPES.flatMap(([read, columns]) => columns.split(/\s+/).map((column) => [column, read] as const)));

/** Reads one row of binary COPY back. */
export function readableRow({ columns }: TableSpec, row: Buffer): ReadableRow {
  const readable: Record<string, unknown> = {};
  let at = COUNT_BYTES;
  for (const column of columns) {
    const size = row.readInt32BE(at);
    at += LENGTH_BYTES;
    if (size < 0) continue;
    readable[column] = (READERS.get(column) ?? text)(row.subarray(at, at + size));
    at += size;
  }
  return readable;
}

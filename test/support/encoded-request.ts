import { createHash } from "node:crypto";
import { ByteWriter } from "../../collector/base/byte-writer.ts";
import type { Signal } from "../../collector/base/signal.ts";
import type { EncodedRequest, ItemRefusal, RowSet, SharedRow } from "../../collector/rows/encoded-request.ts";
import { GENERATION_LOGS, LOG_RECORDS, SPANS, type TableSpec } from "../../collector/rows/table-spec.ts";

/** A value of a hand-made row. Strings become text bytes; a column's type comes from TYPES. */
export type Cell = string | number | bigint | null;
export type Row = Readonly<Record<string, Cell>>;

export interface Item {
  readonly table: TableSpec;
  readonly row: Row;
  readonly revisiting?: boolean;
}

export const PROJECT = 1;
export const RESOURCE_ID = "aa".repeat(16);
const BASE_MILLIS = Date.UTC(2026, 5, 1, 12);

export const hexId = (seed: string, characters: number): string => createHash("sha256").update(seed).digest("hex").slice(0, characters);

/** A span with every NOT NULL column; `seed` decides its ids. */
export function spanRow(seed: string, change: Row = {}): Row {
  return {
    project_id: PROJECT,
    trace_id: hexId(`trace ${seed}`, 32),
    span_id: hexId(`span ${seed}`, 16),
    start_time: BASE_MILLIS,
    start_nano: 0,
    end_time: BASE_MILLIS + 5,
    end_nano: 0,
    duration_ns: 5_000_000,
    name: `span ${seed}`,
    kind: 1,
    service_name: "test",
    status_code: 0,
    attributes: "{}",
    resource_id: RESOURCE_ID,
    received_at: BASE_MILLIS + 10,
    ...change,
  };
}

/** The generation of the span of the same `seed`. */
export function generationRow(seed: string, change: Row = {}): Row {
  return {
    project_id: PROJECT,
    trace_id: hexId(`trace ${seed}`, 32),
    span_id: hexId(`span ${seed}`, 16),
    start_time: BASE_MILLIS,
    dialect: "test",
    prompt_full_text: `prompt of ${seed}`,
    generation_status: "success",
    logged_at: BASE_MILLIS,
    updated_at: BASE_MILLIS,
    received_at: BASE_MILLIS + 10,
    ...change,
  };
}

export function logRow(seed: string, change: Row = {}): Row {
  return {
    project_id: PROJECT,
    time: BASE_MILLIS,
    id: hexId(`log ${seed}`, 32),
    time_nano: 0,
    service_name: "test",
    attributes: "{}",
    resource_id: RESOURCE_ID,
    received_at: BASE_MILLIS + 10,
    ...change,
  };
}

export const span = (seed: string, change: Row = {}): Item[] => [{ table: SPANS, row: spanRow(seed, change) }];
export const log = (seed: string, change: Row = {}): Item[] => [{ table: LOG_RECORDS, row: logRow(seed, change) }];
/** A span and its generation: one item. */
export const generation = (seed: string, change: Row = {}, onSpan: Row = {}): Item[] => [
  { table: SPANS, row: spanRow(seed, onSpan) },
  { table: GENERATION_LOGS, row: generationRow(seed, change) },
];
/** A span without a usable start time; `receivedAtMs` stands in. */
export const untimed = (seed: string, receivedAtMs: number, change: Row = {}): Item[] => [
  { table: SPANS, row: spanRow(seed, { start_time: receivedAtMs, received_at: receivedAtMs, ...change }), revisiting: true },
];

export interface RequestOptions {
  readonly signal?: Signal;
  readonly shared?: readonly SharedRow[];
  readonly refusedItems?: readonly ItemRefusal[];
  readonly sizeBytes?: number;
  readonly announcing?: readonly number[];
  readonly announced?: readonly number[];
}

/** A request of the given items. Built from plain objects by code of its own, so that it can bear witness against the real encoder. */
export function encodedRequest(items: readonly (readonly Item[])[], options: RequestOptions = {}): EncodedRequest {
  const fresh = new Map<TableSpec, RowSet>();
  const revisiting = new Map<TableSpec, RowSet>();
  const raws = items.map((_, i) => Buffer.from(`raw bytes of item ${i}`));
  for (const [i, rows] of items.entries()) {
    for (const { table, row, revisiting: revisits } of rows) {
      const set = rowSet(revisits === true ? revisiting : fresh, table);
      set.starts.push(set.bytes.length);
      set.items.push(i);
      writeRow(set.bytes, table, row);
    }
  }
  const ends = raws.map((_, i) => raws.slice(0, i + 1).reduce((sum, raw) => sum + raw.length, 0));
  const itemAt = ends.flatMap((end, i) => [end - raws[i]!.length, end]);
  const sets = [...fresh.values(), ...revisiting.values()];
  return {
    signal: options.signal ?? "traces",
    projectId: PROJECT,
    received: items.length,
    raw: Buffer.concat(raws),
    itemAt,
    fresh: [...fresh.values()],
    revisiting: [...revisiting.values()],
    shared: options.shared ?? [],
    announcing: new Set(options.announcing),
    announced: new Set(options.announced),
    traces: [],
    refusedItems: options.refusedItems ?? [],
    sizeBytes: options.sizeBytes ?? sets.reduce((sum, set) => sum + set.bytes.length, ends.at(-1) ?? 0),
  };
}

function rowSet(sets: Map<TableSpec, RowSet>, table: TableSpec): RowSet {
  const known = sets.get(table) ?? { table, bytes: new ByteWriter(), starts: [], items: [] };
  sets.set(table, known);
  return known;
}

function writeRow(out: ByteWriter, table: TableSpec, row: Row): void {
  const unknown = Object.keys(row).filter((column) => !table.columns.includes(column));
  if (unknown.length > 0) throw new Error(`${table.name} has no column ${unknown.join(", ")}`);
  out.u16(table.columns.length);
  for (const column of table.columns) {
    const cell = row[column] ?? null;
    const value = cell === null ? undefined : encodeCell(column, cell);
    out.u32(value?.length ?? 0xffffffff);
    if (value !== undefined) out.bytes(value, 0, value.length);
  }
}

type Encode = (cell: Exclude<Cell, null>) => Buffer;

const integer =
  (size: number): Encode =>
  (cell) => {
    const wide = Buffer.alloc(8);
    wide.writeBigInt64BE(BigInt(cell));
    return wide.subarray(8 - size);
  };
/** Milliseconds since 1970 as PostgreSQL's microseconds since 2000. */
const time: Encode = (cell) => integer(8)(BigInt(Math.round((Number(cell) - Date.UTC(2000, 0, 1)) * 1000)));
const text: Encode = (cell) => Buffer.from(String(cell));
const json: Encode = (cell) => Buffer.concat([Buffer.from([1]), text(cell)]);
const uuid: Encode = (cell) => Buffer.from(String(cell), "hex");
const float: Encode = (cell) => {
  const value = Buffer.alloc(8);
  value.writeDoubleBE(Number(cell));
  return value;
};

const TYPES: readonly (readonly [encode: Encode, columns: string])[] = [
  [integer(2), "start_nano end_nano time_nano observed_nano kind status_code content_moved"],
  [integer(4), "project_id severity_number"],
  [integer(8), "duration_ns flags tokens_prompt tokens_completion tokens_total dropped_attributes_count"],
  [time, "start_time end_time time observed_time received_at logged_at updated_at"],
  [json, "attributes events links ingest_notes body additional_metadata model_parameters"],
  [uuid, "id resource_id scope_id"],
  [float, "duration_ms model_temperature"],
];
const ENCODERS = new Map(TYPES.flatMap(([encode, columns]) => columns.split(" ").map((column) => [column, encode] as const)));

const encodeCell = (column: string, cell: Exclude<Cell, null>): Buffer => (ENCODERS.get(column) ?? text)(cell);

/** A resource as the encoder would share it. */
export const resource = (id: string = RESOURCE_ID, attributes = "{}"): SharedRow => ({
  table: "resources",
  projectId: PROJECT,
  id,
  attributes,
  schemaUrl: null,
  droppedAttributesCount: null,
  name: null,
  version: null,
});

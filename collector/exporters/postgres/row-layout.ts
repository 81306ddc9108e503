import { FIELD_HEAD, type TableSpec } from "../../rows/table-spec.ts";

/** One encoded row where the encoder left it: `bytes[start, end)` is a binary COPY tuple (field count, then length and value of each field). */
export interface EncodedRow {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A key column's fixed size, and one text form of it that SQL and bytes share whatever the session's settings are. */
interface KeyKind {
  readonly size: number;
  readonly sql: (column: string) => string;
  readonly text: (bytes: Buffer, at: number) => string;
}

const ascii = (size: number): KeyKind => ({ size, sql: (column) => column, text: (bytes, at) => bytes.toString("latin1", at, at + size) });
const binary = (size: number, send: string): KeyKind => ({
  size,
  sql: (column) => `encode(${send}(${column}), 'hex')`,
  text: (bytes, at) => bytes.toString("hex", at, at + size),
});

const TIME = binary(8, "timestamptz_send");
const KINDS: Readonly<Record<string, KeyKind>> = {
  project_id: binary(4, "int4send"),
  trace_id: ascii(32),
  span_id: ascii(16),
  id: binary(16, "uuid_send"),
  hash: binary(32, "byteasend"),
  output_number: binary(4, "int4send"),
  start_time: TIME,
  time: TIME,
};

interface KeyField {
  readonly column: string;
  readonly kind: KeyKind;
  /** Offset of the value from the row's start. */
  readonly at: number;
}

/** Where the key lies in a table's rows. */
export interface KeyLayout {
  readonly fields: readonly KeyField[];
  /** The column that decides the partition, where there are partitions. */
  readonly time: KeyField | undefined;
}

const layouts = new Map<string, KeyLayout>();

/** Throws for a key that KINDS does not describe: a new table's key columns are added there first. */
export function keyLayout(table: TableSpec): KeyLayout {
  let layout = layouts.get(table.name);
  if (layout === undefined) {
    layout = describeKey(table);
    layouts.set(table.name, layout);
  }
  return layout;
}

function describeKey(table: TableSpec): KeyLayout {
  let at = 2;
  const fields = table.keyColumns.map((column): KeyField => {
    const kind = KINDS[column];
    if (kind === undefined) throw new Error(`the key column ${table.name}.${column} has no known form`);
    const field = { column, kind, at: at + FIELD_HEAD };
    at = field.at + kind.size;
    return field;
  });
  if (at !== 2 + table.keyBytes) throw new Error(`the key of ${table.name} is not ${table.keyBytes} bytes long`);
  return { fields, time: fields.find((field) => field.kind === TIME) };
}

/** What a row is recognised by: its whole key, or its key without the time when that had to be made up. */
export type Identity = "key" | "timeless";

const identityFields = (table: TableSpec, identity: Identity): KeyField[] =>
  keyLayout(table).fields.filter((field) => identity === "key" || field.kind !== TIME);

/** The columns of an identity. */
export const identityColumns = (table: TableSpec, identity: Identity): string[] =>
  identityFields(table, identity).map((field) => field.column);

/** A row's identity as text. */
export const identityText = (table: TableSpec, row: EncodedRow, identity: Identity): string =>
  identityFields(table, identity)
    .map((field) => field.kind.text(row.bytes, row.start + field.at))
    .join(" ");

/** An SQL expression over the columns of `alias` that gives `identityText(…, "key")`. Immutable functions only. */
export const keySql = (table: TableSpec, alias: string): string =>
  keyLayout(table)
    .fields.map((field) => field.kind.sql(`${alias}."${field.column}"`))
    .join(" || ' ' || ");

/** Microseconds since 2000, to order rows by; a few of them off beyond the year 2255. 0 where there is no time. */
export function rowTime(layout: KeyLayout, row: EncodedRow): number {
  if (layout.time === undefined) return 0;
  const at = row.start + layout.time.at;
  return row.bytes.readInt32BE(at) * 0x1_0000_0000 + row.bytes.readUInt32BE(at + 4);
}

/** The order of two keys as bytes. */
export function compareKeys(table: TableSpec, a: EncodedRow, b: EncodedRow): number {
  const aKey = a.start + 2;
  const bKey = b.start + 2;
  return a.bytes.compare(b.bytes, bKey, bKey + table.keyBytes, aKey, aKey + table.keyBytes);
}

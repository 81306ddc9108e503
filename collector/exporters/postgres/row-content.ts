import { FIELD_HEAD, type TableSpec } from "../../rows/table-spec.ts";
import type { EncodedRow, Identity } from "./row-layout.ts";

/** Columns that differ between two deliveries of the same thing, and say nothing of the thing itself. */
const DELIVERY_COLUMNS: ReadonlySet<string> = new Set(["received_at", "updated_at", "logged_at", "ingest_notes"]);

/** Columns that follow from a start time; made up together with it. */
const TIME_COLUMNS: ReadonlySet<string> = new Set(["start_nano", "end_time", "end_nano", "duration_ns", "duration_ms"]);

/** The columns in which two rows of one identity must agree to count as the same thing sent twice. */
export const contentColumns = (table: TableSpec, identity: Identity): string[] =>
  table.columns.filter(
    (column) => !table.keyColumns.includes(column) && !DELIVERY_COLUMNS.has(column) && (identity === "key" || !TIME_COLUMNS.has(column)),
  );

/** Whether two rows hold the same content, by their bytes. */
export function sameContent(table: TableSpec, rows: readonly [EncodedRow, EncodedRow], identity: Identity): boolean {
  const content = new Set(contentColumns(table, identity));
  const [a, b] = rows.map(fieldsOf) as [Buffer[], Buffer[]];
  return table.columns.every((column, i) => !content.has(column) || a[i]!.equals(b[i]!));
}

/** How much a row tells of what it is about: 0 its beginning, 1 an end without a time, 2 all. */
export function completeness({ columns, completion }: TableSpec, row: EncodedRow): 0 | 1 | 2 {
  if (completion === undefined) return 2;
  const { endColumn, statusColumn } = completion;
  const hasEnd = sizeAt(row, fieldStart(row, columns.indexOf(endColumn))) >= 0;
  if (statusColumn === undefined) return hasEnd ? 2 : 0;
  const status = fieldStart(row, columns.indexOf(statusColumn));
  if (row.bytes.toString("latin1", status + FIELD_HEAD, status + FIELD_HEAD + sizeAt(row, status)) === "pending") return 0;
  return hasEnd ? 2 : 1;
}

const sizeAt = ({ bytes }: EncodedRow, at: number): number => bytes.readInt32BE(at);

/** Where the length word of a field lies. */
function fieldStart(row: EncodedRow, index: number): number {
  let at = row.start + 2;
  for (let i = 0; i < index; i++) at += FIELD_HEAD + Math.max(0, sizeAt(row, at));
  return at;
}

/** Every field with its length word, so that NULL and empty differ. */
function fieldsOf({ bytes, start, end }: EncodedRow): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = start + 2; at < end; ) {
    const next = at + FIELD_HEAD + Math.max(0, bytes.readInt32BE(at));
    fields.push(bytes.subarray(at, next));
    at = next;
  }
  return fields;
}

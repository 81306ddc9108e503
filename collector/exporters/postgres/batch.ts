import type { EncodedRequest, ItemRefusal, RowSet, WriteResult } from "../../rows/encoded-request.ts";
import type { TableSpec } from "../../rows/table-spec.ts";

/** One request on its way to the database; settled once, by its last part or by its deadline. */
export interface PendingRequest {
  readonly request: EncodedRequest;
  readonly deadlineAt: number;
  /** Parts not yet written. */
  open: number;
  stored: number;
  conflicting: number;
  readonly refused: ItemRefusal[];
  settled: boolean;
  readonly settle: (result: WriteResult) => void;
}

/** A run of items of one request: [fromItem, toItem). A request is cut only when it is larger than a batch. */
export interface Part {
  readonly pending: PendingRequest;
  readonly fromItem: number;
  readonly toItem: number;
  readonly bytes: number;
  readonly rows: number;
}

/** What one transaction writes. */
export interface Batch {
  readonly parts: Part[];
  /** What the careful path still has to write, once it has begun: it outlives a lost connection, so that nothing is counted twice. */
  groups: Part[][] | undefined;
  bytes: number;
  rows: number;
}

/** One row of a batch: its bytes where the encoder left them, and where it came from. */
export interface RowRef {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly part: Part;
  readonly item: number;
}

/** Rows of one table in key order, each key once. */
export interface TableRows {
  readonly table: TableSpec;
  readonly rows: RowRef[];
}

export const emptyBatch = (): Batch => ({ parts: [], groups: undefined, bytes: 0, rows: 0 });

const sizeOf = (set: RowSet, row: number): number => (set.starts[row + 1] ?? set.bytes.length) - set.starts[row]!;

/** Cuts a request into parts of at most `maxBytes` and `maxRows`; an item that is larger alone is a part of its own. */
export function cutIntoParts(pending: PendingRequest, maxBytes: number, maxRows: number): Part[] {
  const sets = [...pending.request.fresh, ...pending.request.revisiting];
  const totalBytes = sets.reduce((sum, set) => sum + set.bytes.length, 0);
  const totalRows = sets.reduce((sum, set) => sum + set.starts.length, 0);
  const { received } = pending.request;
  if (totalBytes <= maxBytes && totalRows <= maxRows) {
    return [{ pending, fromItem: 0, toItem: received, bytes: totalBytes, rows: totalRows }];
  }
  const cursors = sets.map((set) => ({ set, row: 0 }));
  const parts: Part[] = [];
  let open = { fromItem: 0, bytes: 0, rows: 0 };
  for (let item = 0; item < received; item++) {
    const { bytes, rows } = measureItem(cursors, item);
    if (open.rows > 0 && (open.bytes + bytes > maxBytes || open.rows + rows > maxRows)) {
      parts.push({ pending, ...open, toItem: item });
      open = { fromItem: item, bytes: 0, rows: 0 };
    }
    open.bytes += bytes;
    open.rows += rows;
  }
  parts.push({ pending, ...open, toItem: received });
  return parts;
}

/** Size of one item's rows; the cursors walk along, since rows lie in item order. */
function measureItem(cursors: { readonly set: RowSet; row: number }[], item: number): { bytes: number; rows: number } {
  let bytes = 0;
  let rows = 0;
  for (const cursor of cursors) {
    for (; cursor.set.items[cursor.row] === item; cursor.row++) {
      bytes += sizeOf(cursor.set, cursor.row);
      rows++;
    }
  }
  return { bytes, rows };
}

/** The rows of `parts` by table; tables always in the same order, for the same reason as rows. */
export function collectRows(parts: readonly Part[], which: "fresh" | "revisiting"): TableRows[] {
  const tables = new Map<TableSpec, RowRef[]>();
  for (const part of parts) {
    for (const set of part.pending.request[which]) {
      const rows = tables.get(set.table) ?? [];
      tables.set(set.table, rows);
      for (let row = lowerBound(set.items, part.fromItem); row < set.items.length && set.items[row]! < part.toItem; row++) {
        const start = set.starts[row]!;
        rows.push({ bytes: set.bytes.buffer, start, end: set.starts[row + 1] ?? set.bytes.length, part, item: set.items[row]! });
      }
    }
  }
  const filled = [...tables].filter(([, rows]) => rows.length > 0);
  return filled.sort(([a], [b]) => (a.name < b.name ? -1 : 1)).map(([table, rows]) => ({ table, rows: inKeyOrder(table, rows) }));
}

function lowerBound(items: readonly number[], wanted: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (items[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes from a row's start to the first bytes in which keys differ: field count, project_id with its length, and the next length. */
const KEY_PREFIX_AT = 2 + 8 + 4;
/** Six bytes fit a double exactly. */
const KEY_PREFIX_BYTES = 6;

/**
 * Sorted by key, so that two transactions never wait for each other in opposite order and the index is touched in order;
 * a key that appears twice keeps its first row.
 */
function inKeyOrder(table: TableSpec, rows: RowRef[]): RowRef[] {
  const keyed = rows.map((row) => ({ row, prefix: row.bytes.readUIntBE(row.start + KEY_PREFIX_AT, KEY_PREFIX_BYTES) }));
  keyed.sort((a, b) => a.prefix - b.prefix || compareKeys(table, a.row, b.row));
  const unique: RowRef[] = [];
  let last: RowRef | undefined;
  for (const { row } of keyed) {
    if (last !== undefined && compareKeys(table, last, row) === 0) continue;
    unique.push(row);
    last = row;
  }
  return unique;
}

function compareKeys(table: TableSpec, a: RowRef, b: RowRef): number {
  const aKey = a.start + 2;
  const bKey = b.start + 2;
  return a.bytes.compare(b.bytes, bKey, bKey + table.keyBytes, aKey, aKey + table.keyBytes);
}

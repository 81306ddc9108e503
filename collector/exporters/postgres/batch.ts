import type { EncodedRequest, ItemRefusal, RowSet, WriteResult } from "../../rows/encoded-request.ts";

/** One request on its way to the database. */
export interface PendingRequest {
  readonly request: EncodedRequest;
  /** On the clock of performance.now(). */
  readonly deadlineAt: number;
  /** Items not yet accounted for; the request is answered with its last one. */
  openItems: number;
  /** Parts that still wait or are being written; the request's memory is free when there is none. */
  openParts: number;
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

/** Parts that are written together, by one transaction unless the database makes a difference between them. */
export interface Batch {
  readonly parts: Part[];
  bytes: number;
  rows: number;
}

export interface BatchLimits {
  readonly maxBatchBytes: number;
  readonly maxBatchRows: number;
}

const sizeOf = (set: RowSet, row: number): number => (set.starts[row + 1] ?? set.bytes.length) - set.starts[row]!;

/** Cuts a request into parts within the limits; an item that is larger alone is a part of its own. */
export function cutIntoParts(pending: PendingRequest, limits: BatchLimits): Part[] {
  const sets = [...pending.request.fresh, ...pending.request.revisiting];
  const bytes = sets.reduce((sum, set) => sum + set.bytes.length, 0);
  const rows = sets.reduce((sum, set) => sum + set.starts.length, 0);
  const { received } = pending.request;
  if (bytes <= limits.maxBatchBytes && rows <= limits.maxBatchRows) return [{ pending, fromItem: 0, toItem: received, bytes, rows }];
  const cursors = sets.map((set) => ({ set, row: 0 }));
  const parts: Part[] = [];
  let open = { fromItem: 0, bytes: 0, rows: 0 };
  for (let item = 0; item < received; item++) {
    const size = measureItem(cursors, item);
    if (open.rows > 0 && (open.bytes + size.bytes > limits.maxBatchBytes || open.rows + size.rows > limits.maxBatchRows)) {
      parts.push({ pending, ...open, toItem: item });
      open = { fromItem: item, bytes: 0, rows: 0 };
    }
    open.bytes += size.bytes;
    open.rows += size.rows;
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

export const itemsOf = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + part.toItem - part.fromItem, 0);

/** Two halves by items, or undefined when only one item is left. */
export function halve(parts: readonly Part[]): [Part[], Part[]] | undefined {
  const items = itemsOf(parts);
  if (items <= 1) return undefined;
  const first: Part[] = [];
  const second: Part[] = [];
  let room = items >>> 1;
  for (const part of parts) {
    const size = part.toItem - part.fromItem;
    if (room >= size) first.push(part);
    else if (room <= 0) second.push(part);
    else {
      first.push({ ...part, toItem: part.fromItem + room });
      second.push({ ...part, fromItem: part.fromItem + room });
    }
    room -= size;
  }
  return [first, second];
}

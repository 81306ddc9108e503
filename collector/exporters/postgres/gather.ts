import type { TableSpec } from "../../rows/table-spec.ts";
import type { Part } from "./batch.ts";
import { completeness, sameContent } from "./row-content.ts";
import { compareKeys, type EncodedRow, type Identity, identityText, keyLayout, rowTime } from "./row-layout.ts";

/** One row of a batch and the item it came from. */
export interface RowRef extends EncodedRow {
  readonly part: Part;
  readonly item: number;
}

/** Rows of one table in the order in which every transaction writes them, each key once. */
export interface TableRows {
  readonly table: TableSpec;
  readonly rows: RowRef[];
  /** Rows left out because another one of the batch has their key but not their content. */
  readonly conflicting: RowRef[];
}

/**
 * The fresh or the revisiting rows of `parts` by table. Tables and rows always come in the same order (by partition time, then by key),
 * so that two transactions never wait for each other in opposite order.
 */
export function gatherRows(parts: readonly Part[], which: "fresh" | "revisiting"): TableRows[] {
  const tables = new Map<TableSpec, RowRef[]>();
  for (const part of parts) {
    for (const set of part.pending.request[which]) {
      const rows = tables.get(set.table) ?? [];
      tables.set(set.table, rows);
      const { items, starts, bytes } = set;
      for (let row = lowerBound(items, part.fromItem); row < items.length && items[row]! < part.toItem; row++) {
        rows.push({ bytes: bytes.buffer, start: starts[row]!, end: starts[row + 1] ?? bytes.length, part, item: items[row]! });
      }
    }
  }
  const filled = [...tables].filter(([, rows]) => rows.length > 0).sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  return filled.map(([table, rows]) => {
    const ordered = inWriteOrder(table, rows);
    return which === "fresh" ? uniqueByKey(table, ordered) : uniqueByIdentity(table, ordered);
  });
}

/** First place in the ascending list `items` that is not below `wanted`. */
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

function inWriteOrder(table: TableSpec, rows: readonly RowRef[]): RowRef[] {
  const layout = keyLayout(table);
  const timed = rows.map((row) => ({ row, time: rowTime(layout, row) }));
  timed.sort((a, b) => a.time - b.time || compareKeys(table, a.row, b.row));
  return timed.map(({ row }) => row);
}

function uniqueByKey(table: TableSpec, ordered: readonly RowRef[]): TableRows {
  const rows: RowRef[] = [];
  const conflicting: RowRef[] = [];
  for (const row of ordered) {
    const last = rows.at(-1);
    if (last === undefined || compareKeys(table, last, row) !== 0) rows.push(row);
    else rows[rows.length - 1] = keepOne({ table, identity: "key", conflicting }, last, row);
  }
  return { table, rows, conflicting };
}

function uniqueByIdentity(table: TableSpec, ordered: readonly RowRef[]): TableRows {
  const kept = new Map<string, RowRef>();
  const conflicting: RowRef[] = [];
  for (const row of ordered) {
    const identity = identityText(table, row, "timeless");
    const first = kept.get(identity);
    kept.set(identity, first === undefined ? row : keepOne({ table, identity: "timeless", conflicting }, first, row));
  }
  return { table, rows: [...kept.values()], conflicting };
}

interface Choice {
  readonly table: TableSpec;
  readonly identity: Identity;
  readonly conflicting: RowRef[];
}

/** Of two rows with one identity: the first, unless the second tells more of the end. Two that tell as much and differ are a conflict. */
function keepOne({ table, identity, conflicting }: Choice, first: RowRef, second: RowRef): RowRef {
  if (identity === "key") {
    const [told, more] = [completeness(table, first), completeness(table, second)];
    if (told !== more || told === 0) return more > told ? second : first;
  }
  if (!sameContent(table, [first, second], identity)) conflicting.push(second);
  return first;
}

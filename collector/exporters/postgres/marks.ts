import { INGEST_REJECTED } from "../../rows/table-spec.ts";
import type { Part } from "./batch.ts";
import type { RowRef, TableRows } from "./gather.ts";

/** What one committed transaction did, by part: items with a new (or completed) row, and items whose content differs from the stored one. */
export interface Marks {
  readonly stored: Map<Part, Set<number>>;
  readonly conflicting: Map<Part, Set<number>>;
}

export const emptyMarks = (): Marks => ({ stored: new Map(), conflicting: new Map() });

/** Notes rows that are new. A row of ingest_rejected stores no item: what is refused is counted as refused. */
export function markStored(marks: Marks, { table }: TableRows, rows: readonly RowRef[]): void {
  if (table.name !== INGEST_REJECTED.name) markAll(marks.stored, rows);
}

export const markConflicting = (marks: Marks, rows: readonly RowRef[]): void => markAll(marks.conflicting, rows);

function markAll(items: Map<Part, Set<number>>, rows: readonly RowRef[]): void {
  for (const row of rows) {
    let marked = items.get(row.part);
    if (marked === undefined) {
      marked = new Set();
      items.set(row.part, marked);
    }
    marked.add(row.item);
  }
}

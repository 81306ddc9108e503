import type { TableRows } from "./gather.ts";
import { type EncodedRow, keyLayout, rowTime } from "./row-layout.ts";

/** Hours in which calls of a project began, by their number since 2000-01-01 UTC. */
export interface TouchedHour {
  readonly projectId: number;
  readonly hour: number;
}

const HOUR_MICROS = 3_600_000_000;
const PROJECT = "project_id";
/** The table whose rows are summed up by the hour. */
const CALLS = "generation_logs";

/** The distinct hours of the calls among some rows. */
export function touchedHours(tables: readonly TableRows[]): TouchedHour[] {
  const found = new Map<string, TouchedHour>();
  for (const { table, rows } of tables) {
    if (table.name !== CALLS) continue;
    const layout = keyLayout(table);
    const projectAt = layout.fields.find(({ column }) => column === PROJECT)?.at ?? 0;
    let last: TouchedHour | undefined;
    for (const row of rows) {
      const touched = { projectId: projectOf(row, projectAt), hour: Math.floor(rowTime(layout, row) / HOUR_MICROS) };
      if (last?.hour === touched.hour && last.projectId === touched.projectId) continue;
      last = touched;
      found.set(`${touched.projectId}/${touched.hour}`, touched);
    }
  }
  return [...found.values()];
}

const projectOf = ({ bytes, start }: EncodedRow, at: number): number => bytes.readInt32BE(start + at);

import type { ApiRow } from "./api.ts";
import { smallResult } from "./list.ts";
import type { OutputFormat } from "./output.ts";
import { writeResult } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** Whether a form of output is for people: several tables below each other are no CSV, and no JSON. */
export const isForPeople = (format: OutputFormat): boolean => format === "table" || format === "md";

/** A heading and a table below what stands there already; nothing where there are no rows. */
export async function writeSection(
  title: string,
  rows: readonly ApiRow[],
  { format, terminal }: { format: OutputFormat; terminal: Terminal },
) {
  if (rows.length === 0) return;
  await terminal.write(`\n${terminal.style("bold", title)}\n`);
  await writeResult(await smallResult(rows, []), format, terminal);
}

/** Some fields of each row. */
export const pick = (rows: readonly ApiRow[], names: readonly string[]): ApiRow[] =>
  rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));

/** A record without its lists and objects, which have tables of their own. */
export const scalarsOf = (record: ApiRow): ApiRow =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => typeof value !== "object" || value === null));

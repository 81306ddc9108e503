import type { ApiRow } from "./api.ts";
import type { OutputFormat } from "./output.ts";
import { writeResult } from "./output.ts";
import { cellOf, resultSet } from "./result-set.ts";
import type { Terminal } from "./terminal.ts";

/** Writes one thing: as lines of name and value for people, whole for programs. What is unknown is not shown to people. */
export async function writeRecord(record: ApiRow, format: OutputFormat, terminal: Terminal): Promise<void> {
  if (format === "json" || format === "jsonl") {
    await terminal.write(`${JSON.stringify(record, null, format === "json" && terminal.interactive ? 2 : undefined)}\n`);
    return;
  }
  if (format === "csv") {
    await writeResult(resultSet(Object.keys(record), [Object.values(record).map(cellOf)]), format, terminal);
    return;
  }
  const known = Object.entries(record).filter(([, value]) => value !== null && value !== undefined);
  await writeResult(
    resultSet(
      ["name", "value"],
      known.map(([name, value]) => [name, cellOf(value)]),
    ),
    format,
    terminal,
  );
}

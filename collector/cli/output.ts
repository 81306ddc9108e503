import { csvLine } from "./csv.ts";
import { markdownHeader, markdownLine } from "./markdown.ts";
import { type Cell, cellJson, cellText, distinctNames, type ResultSet } from "./result-set.ts";
import { tableLayout } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export const OUTPUT_FORMATS = ["table", "json", "jsonl", "csv", "md"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

function rowJson(names: readonly string[], row: readonly Cell[]): string {
  return `{${names.map((name, i) => `${JSON.stringify(name)}:${cellJson(row[i] ?? null)}`).join(",")}}`;
}

async function writeTable({ columns, batches }: ResultSet, terminal: Terminal): Promise<number> {
  let layout: ReturnType<typeof tableLayout> | undefined;
  let count = 0;
  for await (const rows of batches) {
    if (layout === undefined) {
      layout = tableLayout(columns, rows);
      await terminal.write(`${terminal.style("bold", layout.header)}\n`);
    }
    const { line } = layout;
    await terminal.write(rows.map((row) => `${line(row)}\n`).join(""));
    count += rows.length;
  }
  if (layout === undefined) await terminal.write(`${terminal.style("bold", tableLayout(columns, []).header)}\n`);
  return count;
}

async function writeJson({ columns, batches }: ResultSet, terminal: Terminal): Promise<number> {
  const names = distinctNames(columns);
  let count = 0;
  await terminal.write("[");
  for await (const rows of batches) {
    const text = rows.map((row) => rowJson(names, row)).join(",\n");
    await terminal.write(count === 0 ? text : `,\n${text}`);
    count += rows.length;
  }
  await terminal.write("]\n");
  return count;
}

async function writeLines(result: ResultSet, terminal: Terminal, line: (row: readonly Cell[]) => string): Promise<number> {
  let count = 0;
  for await (const rows of result.batches) {
    await terminal.write(rows.map(line).join(""));
    count += rows.length;
  }
  return count;
}

/** Writes a result in the wanted form as it comes in, and resolves with its number of rows. */
export async function writeResult(result: ResultSet, format: OutputFormat, terminal: Terminal): Promise<number> {
  switch (format) {
    case "table":
      return writeTable(result, terminal);
    case "json":
      return writeJson(result, terminal);
    case "jsonl": {
      const names = distinctNames(result.columns);
      return writeLines(result, terminal, (row) => `${rowJson(names, row)}\n`);
    }
    case "csv":
      await terminal.write(csvLine(result.columns));
      return writeLines(result, terminal, (row) => csvLine(row.map(cellText)));
    case "md":
      await terminal.write(markdownHeader(result.columns));
      return writeLines(result, terminal, (row) => markdownLine(row.map(cellText)));
  }
}

import type { Reader, ReadScope } from "../reader.ts";
import { and, type Fragment, name, sql } from "../sql.ts";
import { csvHeader, csvLine, type ExportRow, jsonLine } from "./format.ts";
import { EXPORT_TABLES, type ExportNoun } from "./nouns.ts";
import { createOtlpLines } from "./otlp-lines.ts";
import { OTLP_SPAN_COLUMNS } from "./otlp-span.ts";
import { exportColumns, exportPages, type PageOptions } from "./pages.ts";
import { createSpanLines } from "./span-lines.ts";

export const EXPORT_FORMATS = ["csv", "jsonl", "otlp"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportRequest {
  readonly scope: ReadScope;
  readonly noun: ExportNoun;
  /** `otlp` is for traces only: lines of OTLP/JSON requests with everything that was received. */
  readonly format: ExportFormat;
  /** Names, in the wanted order; undefined for all. Not for `otlp`. */
  readonly columns?: readonly string[];
  /** Conditions on the columns of the noun's table. */
  readonly where?: readonly Fragment[];
  readonly signal?: AbortSignal;
}

/** A piece of the file, and how many rows it holds. */
export interface ExportChunk {
  readonly text: string;
  readonly rows: number;
}

export const MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  jsonl: "application/x-ndjson; charset=utf-8",
  otlp: "application/x-ndjson; charset=utf-8",
};

/** Opens an export: what cannot be exported throws RequestError here, before anything was sent. */
export async function openExport(reader: Reader, request: ExportRequest): Promise<AsyncGenerator<ExportChunk>> {
  const { format, noun } = request;
  const { columns: named, ...rest } = request;
  const wanted = format === "otlp" ? OTLP_SPAN_COLUMNS : named;
  const options: PageOptions = { ...rest, table: EXPORT_TABLES[noun], ...(wanted === undefined ? {} : { columns: wanted }) };
  const columns = await exportColumns(reader, options);
  if (format === "otlp") return chunksOf(exportPages(reader, columns, options), createOtlpLines(reader, options.scope));
  // With named columns it is a table of those; as a whole it can be imported again.
  if (format === "jsonl" && noun === "traces" && named === undefined)
    return chunksOf(exportPages(reader, columns, options), createSpanLines(reader, options.scope, columns));
  const line = format === "csv" ? csvLine : jsonLine;
  return (async function* () {
    if (format === "csv") yield { text: csvHeader(columns), rows: 0 };
    for await (const page of exportPages(reader, columns, options))
      yield { text: page.map((row) => line(columns, row)).join(""), rows: page.length };
  })();
}

async function* chunksOf(
  pages: AsyncIterable<readonly ExportRow[]>,
  textOf: (page: readonly ExportRow[]) => Promise<string>,
): AsyncGenerator<ExportChunk> {
  for await (const page of pages) yield { text: await textOf(page), rows: page.length };
}

/** How many rows an export would have right now. */
export function countExport(reader: Reader, { scope, noun, where = [] }: Pick<ExportRequest, "scope" | "noun" | "where">): Promise<number> {
  return reader.read(scope, async (ask) => {
    const [counted] = await ask<{ rows: number }>(
      sql`SELECT count(*) AS rows FROM ${name(EXPORT_TABLES[noun].name)} WHERE ${and([sql`project_id = ${scope.projectId}`, ...where])}`,
    );
    return counted!.rows;
  });
}

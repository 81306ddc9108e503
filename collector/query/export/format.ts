import { csvRecord, csvText } from "../../base/csv.ts";
import type { ExportColumn } from "./columns.ts";

/** Values of a row in the order of its columns, as the database wrote them. */
export type ExportRow = readonly (string | null)[];

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
/** Whole numbers beyond 2^53 - 1 would lose digits in most readers of JSON: they are strings there. */
const isExact = (text: string): boolean => !/^-?\d+$/.test(text) || Number.isSafeInteger(Number(text));

function jsonValue(text: string | null, { kind }: ExportColumn): string {
  if (text === null) return "null";
  if (kind === "json" || kind === "boolean") return text;
  if (kind === "number" && NUMBER.test(text) && isExact(text)) return text;
  return JSON.stringify(text);
}

/** One object per line; what the database holds as text comes out byte for byte. */
export function jsonLine(columns: readonly ExportColumn[], row: ExportRow): string {
  return `{${columns.map((column, i) => `${JSON.stringify(column.name)}:${jsonValue(row[i] ?? null, column)}`).join(",")}}\n`;
}

/** RFC 4180; NULL is an empty field, and text that a spreadsheet would run gets an apostrophe in front. */
export const csvLine = (columns: readonly ExportColumn[], row: ExportRow): string =>
  csvRecord(columns.map(({ kind }, i) => csvValue(row[i] ?? null, kind)));

function csvValue(text: string | null, kind: ExportColumn["kind"]): string {
  if (text === null) return "";
  return kind === "number" && NUMBER.test(text) ? text : csvText(text);
}

export const csvHeader = (columns: readonly ExportColumn[]): string => csvRecord(columns.map(({ name }) => csvText(name)));

import { displayWidth, padToWidth, truncateToWidth } from "./display-width.ts";
import { type Cell, cellText } from "./result-set.ts";

/** A cell of a table shows this many columns of a text; `-o json` shows all of it. */
const MAX_CELL_WIDTH = 80;
const GAP = "  ";

const NAMED_CONTROLS: Readonly<Record<string, string>> = { "\n": "↵", "\r": "", "\t": " " };

/** Text of an application must not be able to steer the terminal: control characters and direction marks become visible or go. */
const visible = (text: string): string =>
  text.replace(/[\p{Control}\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu, (c) => NAMED_CONTROLS[c] ?? "�");

const SHOWN_DIGITS = 6;

/** Measured numbers have more digits than mean anything: six are shown, and every one before the point. Exact numbers are text, and stay whole. */
function rounded(value: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return value;
  const whole = Math.trunc(Math.abs(value));
  return Number(whole === 0 ? value.toPrecision(SHOWN_DIGITS) : value.toFixed(Math.max(0, SHOWN_DIGITS - String(whole).length)));
}

const shown = (cell: Cell): string => {
  const text = cellText(typeof cell === "number" ? rounded(cell) : cell);
  return truncateToWidth(visible(text.slice(0, MAX_CELL_WIDTH * 16)), MAX_CELL_WIDTH);
};

export interface TableLayout {
  readonly header: string;
  /** One aligned line, without a line end. */
  line(row: readonly Cell[]): string;
}

const isNumber = (cell: Cell | undefined): boolean =>
  typeof cell === "number" || (typeof cell === "string" && /^-?\d+(\.\d+)?$/.test(cell));

/** Column widths and alignment from the names and a first batch of rows; a wider cell in a later batch only moves its own line. */
export function tableLayout(columns: readonly string[], sample: readonly (readonly Cell[])[]): TableLayout {
  const names = columns.map((name) => truncateToWidth(visible(name), MAX_CELL_WIDTH));
  const widths = names.map((name, i) =>
    sample.reduce((width, row) => Math.max(width, displayWidth(shown(row[i] ?? null))), displayWidth(name)),
  );
  const alignRight = names.map(
    (_, i) => sample.some((row) => isNumber(row[i])) && sample.every((row) => row[i] === null || isNumber(row[i])),
  );
  const join = (texts: readonly string[]): string =>
    texts
      .map((text, i) => padToWidth(text, widths[i] ?? 0, alignRight[i]))
      .join(GAP)
      .trimEnd();
  return { header: join(names), line: (row) => join(row.map(shown)) };
}

/** A number of the database: as a number where a double holds all of its digits, else as the text of its digits. */
export type ExactNumber = number | string;

const DIGITS = /^-?\d+(\.\d+)?$/;
/** No shorter number can lose a digit in a double. */
const SAFE_DIGITS = 15;
/** A JSON text without such a run has no number that a double would change. */
const LONG_NUMBER = /\d{16}/;

const withoutTrailingZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** Reads the text of a bigint or numeric. NaN and Infinity stay text. */
export function exactNumber(text: string): ExactNumber {
  if (!DIGITS.test(text)) return text;
  const number = Number(text);
  if (text.length <= SAFE_DIGITS) return number;
  return String(number) === withoutTrailingZeros(text) ? number : text;
}

interface ReviverContext {
  readonly source?: string;
}

/** Parses JSON of the database; integers that a double would change become the text of their digits. */
export function exactJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  const keepDigits = (_key: string, value: unknown, context?: ReviverContext): unknown => {
    const source = context?.source;
    if (typeof value !== "number" || source === undefined || !/^-?\d+$/.test(source)) return value;
    return Number.isSafeInteger(value) ? value : source;
  };
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
}

/** A timestamptz in UTC as PostgreSQL writes it becomes ISO 8601 with six decimals, so that times sort as text. `infinity` stays. */
export function isoTime(text: string): string {
  const [, day, time, fraction = ""] = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/.exec(text) ?? [];
  return day === undefined ? text : `${day}T${time}.${fraction.padEnd(6, "0")}Z`;
}

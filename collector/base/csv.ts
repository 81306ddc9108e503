/** What a spreadsheet would run as a formula (OWASP: CSV injection); a byte order mark in front does not hinder it. */
const FORMULA_START = /^\uFEFF?[=+\-@\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]/;

const quoted = (text: string): string => (NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Text as a field after RFC 4180, with an apostrophe in front where a spreadsheet would run it. */
export const csvText = (text: string): string => quoted(FORMULA_START.test(text) ? `'${text}` : text);

/** Fields that are escaped already, as a line ended after RFC 4180. */
export const csvRecord = (fields: readonly string[]): string => `${fields.join(",")}\r\n`;

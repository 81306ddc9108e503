import { csvRecord, csvText } from "../base/csv.ts";

const PLAIN_NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** A field after RFC 4180; text that a spreadsheet would run gets an apostrophe in front, numbers stay as they are. */
export const csvField = (text: string): string => (PLAIN_NUMBER.test(text) ? text : csvText(text));

/** A line of fields, ended as RFC 4180 says. */
export const csvLine = (fields: readonly string[]): string => csvRecord(fields.map(csvField));

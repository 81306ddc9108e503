import { z } from "zod";
import { RequestError } from "../../base/request-error.ts";
import { type Cursor, readCursor } from "./cursor.ts";
import { readInstant } from "./instant.ts";
import type { FilterValue, Noun, SpanKey } from "./noun.ts";

/** One key of the query string with its values: any of them, or with `negated` none of them. */
export interface Term {
  readonly key: string;
  readonly values: readonly FilterValue[];
  readonly negated: boolean;
}

/** `attr.<name>=`: any of the values, or with `negated` none of them. */
export interface AttributeTerm {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
  /** All spans of the range that have the attribute, once they were looked for. */
  readonly spans?: readonly SpanKey[];
}

/** A validated question about one noun: which rows, in which order, which page. */
export interface Filter {
  readonly noun: Noun;
  readonly terms: readonly Term[];
  readonly attributes: readonly AttributeTerm[];
  /** ISO 8601; `from` belongs to the range, `to` does not. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly words: readonly string[];
  readonly sort: { readonly by: string; readonly descending: boolean };
  readonly limit: number;
  readonly after: Cursor | undefined;
}

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 1_000;
const MAX_TERMS = 64;
const MAX_WORDS = 8;
const MAX_TEXT_CHARS = 1_000;
const ATTRIBUTE = "attr.";
/** Keys that may stand once only. */
const SINGLE = ["from", "to", "sort", "limit", "after"];

export interface ParseOptions {
  /** What relative times count from. */
  readonly now?: Date;
  /** Keys of the query string that mean something else to this route. */
  readonly others?: readonly string[];
}

/** Every key that a filter of this noun takes, as an error lists them. */
export function validKeys(noun: Noun): string[] {
  const optional = [...(noun.words === undefined ? [] : ["q"]), ...(noun.attribute === undefined ? [] : [`${ATTRIBUTE}<name>`])];
  return ["from", "to", ...Object.keys(noun.keys), ...optional, "sort", "limit", "after"];
}

/** Reads a query string. Empty values are as if they were not there: forms send them. Throws RequestError with a line per fault. */
export function parseFilter(query: URLSearchParams, noun: Noun, options: ParseOptions = {}): Filter {
  const faults: string[] = [];
  const given = grouped(query, options.others ?? []);
  if (given.size > MAX_TERMS || query.size > 4 * MAX_TERMS) faults.push("there are too many keys");
  const single = readSingles(given, { noun, now: options.now ?? new Date(), faults });
  const terms: Term[] = [];
  const attributes: AttributeTerm[] = [];
  let words: string[] = [];
  for (const [written, values] of given) {
    if (SINGLE.includes(written)) continue;
    const negated = written.startsWith("-");
    const key = negated ? written.slice(1) : written;
    const known = Object.hasOwn(noun.keys, key) ? noun.keys[key] : undefined;
    if (known !== undefined) terms.push({ key, negated, values: readValues(written, values, { schema: known.value, faults }) });
    else if (noun.attribute !== undefined && key.startsWith(ATTRIBUTE) && key.length > ATTRIBUTE.length) {
      const name = key.slice(ATTRIBUTE.length);
      attributes.push({ name: textOf(name, "attr.", faults), negated, values: values.map((value) => textOf(value, key, faults)) });
    } else if (noun.words !== undefined && written === "q") words = readWords(values, faults);
    else faults.push(`${shown(written)} is no key`);
  }
  if (faults.length > 0) throw filterError(faults, noun);
  return { noun, terms, attributes, words, ...single };
}

const filterError = (faults: readonly string[], noun: Noun): RequestError =>
  new RequestError(
    "bad_request",
    `${faults.join("; ")}. Keys of ${noun.name}: ${validKeys(noun).join(", ")}; -key= for not, repeated for or`,
    faults,
  );

function grouped(query: URLSearchParams, others: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [key, value] of query) {
    if (value === "" || others.includes(key)) continue;
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

interface Reading {
  readonly noun: Noun;
  readonly now: Date;
  readonly faults: string[];
}

function readSingles(given: ReadonlyMap<string, string[]>, { noun, now, faults }: Reading) {
  for (const key of SINGLE) if ((given.get(key)?.length ?? 0) > 1) faults.push(`${key} may stand once only`);
  const one = (key: string): string | undefined => given.get(key)?.[0];
  const instant = (key: string): string | undefined => {
    const text = one(key);
    const read = text === undefined ? undefined : readInstant(text, now);
    if (text !== undefined && read === undefined) faults.push(`${key} is no time such as -24h, 2026-11-21 or 2026-11-21T08:15:00Z`);
    return read;
  };
  const [from, to] = [instant("from"), instant("to")];
  if (from !== undefined && to !== undefined && from > to) faults.push("from lies after to");
  const sort = readSort(one("sort") ?? "-time", noun, faults);
  const token = one("after");
  const after = token === undefined ? undefined : readCursor(token, { noun, sort });
  if (token !== undefined && after === undefined) faults.push("after is no cursor of this list and order: take it from the answer before");
  return { from, to, sort, limit: readLimit(one("limit"), faults), after };
}

function readSort(text: string, noun: Noun, faults: string[]): Filter["sort"] {
  const descending = text.startsWith("-");
  const by = descending ? text.slice(1) : text;
  if (by !== "time" && !Object.hasOwn(noun.sorts, by))
    faults.push(`sort is none of time, ${Object.keys(noun.sorts).join(", ")}, each also with - for the largest first`);
  return { by, descending };
}

function readLimit(text: string | undefined, faults: string[]): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) faults.push(`limit is no whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}

interface ValueReading {
  readonly schema: z.ZodType<FilterValue, string>;
  readonly faults: string[];
}

function readValues(key: string, values: readonly string[], { schema, faults }: ValueReading): FilterValue[] {
  return values.flatMap((value) => {
    if (value.includes("\0")) {
      faults.push(`${key} holds a NUL`);
      return [];
    }
    const read = schema.safeParse(value);
    if (read.success) return [read.data];
    faults.push(`${key} ${read.error.issues[0]?.message ?? "is wrong"}`);
    return [];
  });
}

const freeText = z
  .string()
  .max(MAX_TEXT_CHARS, `is longer than ${MAX_TEXT_CHARS} characters`)
  .refine((text) => !text.includes("\0"), "holds a NUL");

function textOf(value: string, key: string, faults: string[]): string {
  const read = freeText.safeParse(value);
  if (read.success) return read.data;
  faults.push(`${shown(key)} ${read.error.issues[0]?.message}`);
  return "";
}

function readWords(values: readonly string[], faults: string[]): string[] {
  const words = values.flatMap((value) => textOf(value, "q", faults).split(/\s+/)).filter((word) => word !== "");
  if (words.length > MAX_WORDS) faults.push(`q has more than ${MAX_WORDS} words`);
  return words;
}

/** A key in an error message, short and without anything that a terminal or a page would act on. */
const shown = (key: string): string => JSON.stringify(key.slice(0, 40));

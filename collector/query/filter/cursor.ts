import { z } from "zod";
import type { Noun, Sort } from "./noun.ts";

/** Where a page ended: the sort's value (null where nothing is known), the time, and what tells rows of one time apart. */
export interface Cursor {
  readonly value: string | null;
  readonly time: string;
  readonly identity: readonly string[];
}

export interface Ordered {
  readonly noun: Noun;
  readonly sort: { readonly by: string; readonly descending: boolean };
}

const TIME = /^\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00$/;
const NUMBER = /^-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?$/;
const VALUE: Readonly<Record<Sort["type"], RegExp>> = {
  timestamptz: TIME,
  float8: NUMBER,
  numeric: NUMBER,
  bigint: /^-?\d{1,19}$/,
  text: /^[^\0]*$/s,
};

const schema = z.tuple([
  z.string(),
  z.string().max(1_000).nullable(),
  z.string().regex(TIME),
  z.array(
    z
      .string()
      .max(500)
      .regex(/^[^\0]*$/s),
  ),
]);

const MAX_TOKEN_CHARS = 8_000;

/** The order as a cursor remembers it: a cursor of one list or order means nothing in another. */
const orderOf = ({ noun, sort }: Ordered): string => `${noun.name}:${sort.descending ? "-" : ""}${sort.by}`;

/** Opaque text for an address. */
export const writeCursor = (cursor: Cursor, ordered: Ordered): string =>
  Buffer.from(JSON.stringify([orderOf(ordered), cursor.value, cursor.time, cursor.identity])).toString("base64url");

/** Undefined for anything that `writeCursor` did not make for this list and order. */
export function readCursor(token: string, ordered: Ordered): Cursor | undefined {
  if (token.length > MAX_TOKEN_CHARS || !/^[\w-]+$/.test(token)) return undefined;
  const read = schema.safeParse(parsed(Buffer.from(token, "base64url").toString("utf8")));
  if (!read.success) return undefined;
  const [order, value, time, identity] = read.data;
  const type = ordered.sort.by === "time" ? "timestamptz" : ordered.noun.sorts[ordered.sort.by]?.type;
  if (order !== orderOf(ordered) || type === undefined || identity.length !== ordered.noun.identity.length) return undefined;
  return value === null || VALUE[type].test(value) ? { value, time, identity } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { z } from "zod";
import { and, type Fragment, name, or, sql } from "../sql.ts";

/** How one key of the query string selects rows. */
export interface FilterKey {
  /** For the API's documentation. */
  readonly description: string;
  /** Reads one value; what it does not take is answered with its message. */
  readonly value: z.ZodType<FilterValue, string>;
  /** Rows that match any of the values. */
  readonly where: (values: readonly FilterValue[]) => Fragment;
}

/** ISO 8601; `from` belongs to the range, `to` does not; undefined is open. */
export interface TimeRange {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export type FilterValue = string | number;

/** A column that rows can be sorted by: its expression, and the type by which its text in a cursor is read again. */
export interface Sort {
  readonly expression: Fragment;
  readonly type: "timestamptz" | "float8" | "numeric" | "bigint" | "text";
}

/** As PostgreSQL writes them; the time is exact to the microsecond. */
export interface SpanKey {
  readonly trace_id: string;
  readonly span_id: string;
  readonly start_time: string;
}

/** What lists, counts and streams of one kind of thing select from, and by which keys. */
export interface Noun {
  /** As addresses call it, in the plural. */
  readonly name: string;
  /** Table or view; columns in the expressions below are its. */
  readonly from: Fragment;
  /** Column of `from` and `to`, and of the default order. Never NULL. */
  readonly time: Fragment;
  /** Text columns that tell rows of the same time apart. Never NULL. */
  readonly identity: readonly Fragment[];
  readonly keys: Readonly<Record<string, FilterKey>>;
  /** Besides `time`. */
  readonly sorts: Readonly<Record<string, Sort>>;
  /** Text columns in which `q` looks for words; without them there is no `q`. */
  readonly words?: readonly Fragment[];
  /** Ranges of time (a tstzmultirange) in which no row has all of these words, as far as that is known beforehand. */
  readonly wordless?: (words: readonly string[], range: TimeRange) => Fragment | undefined;
  /** Rows with this value of the attribute; without it there is no `attr.`. `spans`: all that have it, where that is known beforehand. */
  readonly attribute?: (attribute: string, values: readonly string[], spans?: readonly SpanKey[]) => Fragment;
  /** A query of the spans in a range that have this value of the attribute. */
  readonly attributeSpans?: (attribute: string, values: readonly string[], range: TimeRange) => Fragment;
}

/** Stands for "nothing known" in the values of a key: `model=(none)`. */
export const NONE = "(none)";

const MAX_VALUE_CHARS = 1_000;

const text = z.string().max(MAX_VALUE_CHARS, `is longer than ${MAX_VALUE_CHARS} characters`);

const whole = z
  .string()
  .regex(/^\d{1,15}$/, "is no whole number")
  .transform(Number);

const decimal = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,12})?$/, "is no number")
  .transform(Number);

/** Rows whose column is one of the values; `(none)` finds those where nothing is known. */
export function oneOf(column: Fragment, values: readonly FilterValue[]): Fragment {
  const known = values.filter((value) => value !== NONE).map(String);
  const found = known.length === 0 ? [] : [sql`${column} = ANY(${known}::text[])`];
  return or(values.includes(NONE) ? [...found, sql`${column} IS NULL`] : found);
}

/** A text column, compared exactly. */
export const textKey = (column: string, description: string): FilterKey => ({
  description: `${description}; ${NONE} for rows without one`,
  value: text,
  where: (values) => oneOf(name(column), values),
});

/** A text column with a fixed set of values. */
export const choiceKey = (column: string, choices: readonly string[], description: string): FilterKey => ({
  description: `${description}: ${choices.join(", ")}`,
  value: z.enum(choices, { error: `is none of ${choices.join(", ")}` }),
  where: (values) => oneOf(name(column), values),
});

/** Rows whose column is at least the value; of several the smallest counts. */
export const minimumKey = (column: string, description: string, digits: "whole" | "decimal" = "decimal"): FilterKey => ({
  description,
  value: digits === "whole" ? whole : decimal,
  where: (values) => sql`${name(column)} >= ${Math.min(...values.map(Number))}`,
});

/** Rows whose column is at most the value; of several the largest counts. */
export const maximumKey = (column: string, description: string, digits: "whole" | "decimal" = "decimal"): FilterKey => ({
  description,
  value: digits === "whole" ? whole : decimal,
  where: (values) => sql`${name(column)} <= ${Math.max(...values.map(Number))}`,
});

/** A count: `3` exactly, `3+` at least. */
export const countKey = (column: string, description: string): FilterKey => ({
  description: `${description}: 3 for exactly three, 3+ for at least three`,
  value: z.string().regex(/^\d{1,9}\+?$/, "is no count such as 3 or 3+"),
  where: (values) =>
    or(
      values.map(String).map((value) => {
        const count = Number.parseInt(value, 10);
        return value.endsWith("+") ? sql`${name(column)} >= ${count}` : sql`${name(column)} = ${count}`;
      }),
    ),
});

/** Named properties of a row, each with its own condition. */
export const propertyKey = (properties: Readonly<Record<string, Fragment>>, description: string): FilterKey => ({
  description: `${description}: ${Object.keys(properties).join(", ")}`,
  value: z.enum(Object.keys(properties), { error: `is none of ${Object.keys(properties).join(", ")}` }),
  where: (values) => or(values.map((value) => properties[value] ?? sql`FALSE`)),
});

/** A type may hold colons itself; beyond these few no other is looked for. */
const MAX_COLONS = 8;

/** `type:id`, or `type:` for all of a type. */
export const entityKey = (type: string, id: string): FilterKey => ({
  description: "what the application made, as type:id; type: alone for all of a type",
  value: text.regex(/^[^:]+:/, "is not like type:id"),
  where: (values) =>
    or(
      values.map(String).flatMap((value) =>
        [...value.matchAll(/(?<=.):/gs)].slice(0, MAX_COLONS).map(({ index: colon }) => {
          const isType = sql`${name(type)} = ${value.slice(0, colon)}`;
          return colon === value.length - 1 ? isType : and([isType, sql`${name(id)} = ${value.slice(colon + 1)}`]);
        }),
      ),
    ),
});

/** The project by its id or name. A reader sees only its own, so another one finds nothing. */
export const projectKey: FilterKey = {
  description: "project by id or name; a key reads one project only",
  value: text,
  where: (values) =>
    sql`project_id IN (SELECT id FROM projects WHERE id::text = ANY(${values.map(String)}::text[]) OR name = ANY(${values.map(String)}::text[]))`,
};

/** A number as the database wrote it: `5` and `5.0` are two types of OTLP, and 2^63 keeps its digits. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type ExactJson = null | boolean | string | NumberText | readonly ExactJson[] | { readonly [key: string]: ExactJson };

/** The reviver's third argument is not in TypeScript's library yet. */
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

const keepNumbers: Reviver = (_key, value, { source }) => (typeof value === "number" ? new NumberText(source ?? String(value)) : value);

/** Parses JSON without rounding a number. Keys such as `__proto__` stay plain keys. */
export const parseExact = (text: string): ExactJson =>
  JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown) as ExactJson;

/** The JSON text of a value, with every number as it was. */
export function exactText(value: ExactJson): string {
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(exactText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${exactText(member)}`)
    .join(",")}}`;
}

import { type Fragment, or, sql } from "../sql.ts";

/** JSON's numbers, within what the database's numbers hold. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/;
const LITERAL = /^(?:true|false)$/;
const LIST_OR_OBJECT = /^\s*[[{]/;

/** What a value of an address may be in an attribute: a text, and a number or a truth value where it reads like one. */
const readings = (value: string): string[] => [JSON.stringify(value), ...(NUMBER.test(value) || LITERAL.test(value) ? [value] : [])];

/**
 * Whether an attribute, a member of the jsonb `attributes`, is one of the values, or is a list that has one of them. Containment takes the member out of a row once,
 * whatever it is: `@>` of a single value is equality, of a list membership. Lists and objects are also found by their whole text.
 */
export function attributeIsAmong(attributes: Fragment, attribute: string, values: readonly string[]): Fragment {
  const whole = values.filter((value) => LIST_OR_OBJECT.test(value));
  return or([
    sql`${attributes} -> ${attribute}::text @> ANY(${values.flatMap(readings)}::text[]::jsonb[])`,
    ...(whole.length === 0 ? [] : [sql`${attributes} ->> ${attribute}::text = ANY(${whole}::text[])`]),
  ]);
}

import { NOT_INTERNED } from "../otlp/key-table.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import type { CallSource } from "./concept-columns.ts";
import { beginJson, copyJson, copyNull, endField } from "./copy-row.ts";
import { toJsonb } from "./values.ts";

const PARAMETER_NAME = /^(?:gen_ai\.openai\.request|openai\.request|gen_ai\.request|gen_ai|openai)\./;
/** `gen_ai.request.service_tier` is `service_tier` among the parameters of a call. */
export const parameterName = (attribute: string): string => attribute.replace(PARAMETER_NAME, "");
/** `gen_ai.prompt.variable.city` is `city` among the variables of a prompt. */
export const variableName = (attribute: string): string => attribute.slice("gen_ai.prompt.variable.".length);

/** JSON keys made from attribute names, by key id: names are few and spans are many. */
const jsonNames = new Map<(name: string) => string, Map<number, Buffer>>([
  [parameterName, new Map()],
  [variableName, new Map()],
]);

export interface NamedValues {
  /** Attributes, by their place in the list. */
  readonly indexes: readonly number[];
  /** What a dialect made beside them; an attribute of the same name wins. */
  readonly built: Record<string, unknown> | undefined;
  readonly shorten: (name: string) => string;
}

/** Several attributes, and what a dialect built, as one jsonb object under shortened names; NULL when there are none. */
export function namedValues(source: CallSource, { indexes, built, shorten }: NamedValues): void {
  const { out, attributes, notes } = source;
  if (indexes.length === 0) {
    if (built === undefined || Object.keys(built).length === 0) copyNull(out);
    else copyJson(out, toJsonb(JSON.stringify(built)));
    return;
  }
  const at = beginJson(out);
  const names = new Set<string>();
  indexes.forEach((index, i) => {
    out.u8(i === 0 ? 0x7b : 0x2c);
    const key = jsonName(attributes.keys[index]!, attributes.name(index), shorten);
    out.bytes(key, 0, key.length);
    if (built !== undefined) names.add(shorten(attributes.name(index)));
    notes.mended(`attributes.${attributes.name(index)}`, writeJsonValue(out, attributes, index));
  });
  const rest = Object.entries(built ?? {}).filter(([name, value]) => value !== undefined && !names.has(name));
  for (const [name, value] of rest) out.utf8(toJsonb(`,${JSON.stringify(name)}:${JSON.stringify(value)}`));
  out.u8(0x7d);
  endField(out, at);
}

function jsonName(key: number, name: string, shorten: (name: string) => string): Buffer {
  const names = jsonNames.get(shorten);
  const known = names?.get(key);
  if (known !== undefined) return known;
  const made = Buffer.from(`${JSON.stringify(shorten(name))}:`, "utf8");
  if (key !== NOT_INTERNED) names?.set(key, made);
  return made;
}

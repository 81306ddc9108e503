import { type ExactJson, NumberText } from "./json-numbers.ts";

/** AnyValue of OTLP/JSON. */
export type AnyValue = Readonly<Record<string, unknown>>;

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

const LARGEST_INT64 = 2n ** 63n - 1n;
const SMALLEST_INT64 = -(2n ** 63n);

/** A whole number is an int64 of OTLP unless it does not fit one; a number with a point was a double. */
function numberValue({ text }: NumberText): AnyValue {
  if (!/^-?\d+$/.test(text)) return { doubleValue: Number(text) };
  const whole = BigInt(text);
  return whole >= SMALLEST_INT64 && whole <= LARGEST_INT64 ? { intValue: text } : { doubleValue: Number(text) };
}

/** A stored attribute value in the shape that was sent. */
export function anyValue(value: ExactJson): AnyValue {
  if (value === null) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (value instanceof NumberText) return numberValue(value);
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value as Readonly<Record<string, ExactJson>>) } };
}

/** Types that JSON cannot hold, by path, as `ingest_notes` has them: such values are stored as text. */
export type NotedTypes = Readonly<Record<string, string>>;

/** Attributes as OTLP lists them. `path` is where `types` speaks of them, such as `attributes.`. */
export function keyValues(attributes: Readonly<Record<string, ExactJson>>, types: NotedTypes = {}, path = ""): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => {
    const type = types[path + key];
    if (typeof value === "string" && type === "bytes") return { key, value: { bytesValue: value } };
    if (typeof value === "string" && type === "double") return { key, value: { doubleValue: value } };
    return { key, value: anyValue(value) };
  });
}

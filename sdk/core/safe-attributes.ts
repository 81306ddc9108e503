import type { Attributes, AttributeValue } from "@opentelemetry/api";
import type { Content } from "./content.ts";
import { safeJson } from "./safe-json.ts";

/** Attributes of one record that an application may add. */
const MAX_ATTRIBUTES = 1_024;

/**
 * Attributes that an application gave, as far as a span can hold them: texts cut to the bound of attributes, finite numbers, booleans and lists of these; anything
 * else becomes JSON. What cannot be read is left out. An exporter that meets something else would give up the whole record.
 */
export function safeAttributes(given: unknown, content: Content): Attributes {
  const attributes: Attributes = {};
  if (typeof given !== "object" || given === null) return attributes;
  for (const name of Object.keys(given).slice(0, MAX_ATTRIBUTES)) {
    const value = safeValue(read(given, name), content);
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

function read(of: object, name: string): unknown {
  try {
    return (of as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}

function safeValue(value: unknown, content: Content): AttributeValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (isScalar(value)) return typeof value === "string" ? content.label(value) : value;
  if (typeof value === "number") return undefined;
  if (Array.isArray(value) && value.every(isScalar)) {
    return value.map((each) => (typeof each === "string" ? content.label(each) : each)) as AttributeValue;
  }
  return content.label(typeof value === "bigint" ? value.toString() : (safeJson(value) ?? ""));
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);

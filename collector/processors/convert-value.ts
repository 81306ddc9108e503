import type { AttributeList } from "../otlp/attribute-list.ts";
import { int64FromHalves, VALUE_BOOL, VALUE_DOUBLE, VALUE_INT, VALUE_STRING } from "../otlp/attribute-list.ts";
import { valueText } from "./value-text.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const INTEGER = /^[+-]?\d{1,19}$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Gives a value another type; one that has none in that type stays as it is. Source: attraction/type_converter.go of the Collector. */
export function convertValue(attributes: AttributeList, index: number, type: "int" | "double" | "string"): void {
  if (type === "string") {
    if (attributes.kinds[index] !== VALUE_STRING) attributes.setText(index, valueText(attributes, index));
    return;
  }
  const converted = type === "int" ? toInt(attributes, index) : toDouble(attributes, index);
  if (converted !== undefined) attributes.setScalar(index, type === "int" ? VALUE_INT : VALUE_DOUBLE, converted);
}

function toInt(attributes: AttributeList, index: number): bigint | undefined {
  switch (attributes.kinds[index]) {
    case VALUE_STRING:
      return parseInt64(attributes.text(index) ?? "");
    case VALUE_BOOL:
      return BigInt(attributes.a[index] ?? 0);
    case VALUE_DOUBLE:
      return truncated(attributes.number(index) ?? Number.NaN);
    default:
      return undefined;
  }
}

function parseInt64(text: string): bigint | undefined {
  return INTEGER.test(text) ? inRange(BigInt(text.replace(/^\+/, ""))) : undefined;
}

const truncated = (value: number): bigint | undefined => (Number.isFinite(value) ? inRange(BigInt(Math.trunc(value))) : undefined);

const inRange = (value: bigint): bigint | undefined => (value >= INT64_MIN && value <= INT64_MAX ? value : undefined);

function toDouble(attributes: AttributeList, index: number): number | undefined {
  switch (attributes.kinds[index]) {
    case VALUE_STRING: {
      const text = attributes.text(index) ?? "";
      return FLOAT.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
    }
    case VALUE_BOOL:
      return attributes.a[index] ?? 0;
    case VALUE_INT:
      return Number(int64FromHalves(attributes.a[index] ?? 0, attributes.b[index] ?? 0));
    default:
      return undefined;
  }
}

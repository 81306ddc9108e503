import type { AttributeList } from "../otlp/attribute-list.ts";
import { VALUE_BOOL, VALUE_DOUBLE, VALUE_INT } from "../otlp/attribute-list.ts";

/** One rule of the Collector's attributes processor. */
export interface AttributeRule {
  readonly key: string;
  /** insert: only where the key is missing · update: only where it is there · upsert: both · delete. */
  readonly action: "insert" | "update" | "upsert" | "delete";
  readonly value?: string | number | boolean | undefined;
  /** Copies this attribute's value; nothing happens where it is missing. */
  readonly from_attribute?: string | undefined;
}

/** Applies the rules in order to the attributes of a span or a log record. Source: attributesprocessor of the OpenTelemetry Collector. */
export function createAttributesProcessor(rules: readonly AttributeRule[]): (item: { readonly attributes: AttributeList }) => void {
  return ({ attributes }) => {
    for (const rule of rules) apply(rule, attributes);
  };
}

function apply(rule: AttributeRule, attributes: AttributeList): void {
  const index = attributes.findName(rule.key);
  if (rule.action === "delete") {
    if (index >= 0) attributes.remove(index);
    return;
  }
  const wanted = index < 0 ? rule.action !== "update" : rule.action !== "insert";
  if (!wanted) return;
  const source = rule.from_attribute === undefined ? -1 : attributes.findName(rule.from_attribute);
  if (rule.from_attribute !== undefined && source < 0) return;
  const target = index < 0 ? attributes.append(rule.key) : index;
  if (source >= 0) attributes.copyValue(source, target);
  else setValue(attributes, target, rule.value ?? "");
}

function setValue(attributes: AttributeList, index: number, value: string | number | boolean): void {
  if (typeof value === "string") attributes.setText(index, value);
  else if (typeof value === "boolean") attributes.setScalar(index, VALUE_BOOL, value);
  else attributes.setScalar(index, Number.isInteger(value) ? VALUE_INT : VALUE_DOUBLE, value);
}

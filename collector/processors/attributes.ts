import { hash } from "node:crypto";
import { RE2JS } from "re2js";
import type { AttributeList } from "../otlp/attribute-list.ts";
import { VALUE_BOOL, VALUE_DOUBLE, VALUE_EMPTY, VALUE_INT, VALUE_REMOVED, VALUE_STRING } from "../otlp/attribute-list.ts";
import { NOT_INTERNED } from "../otlp/key-table.ts";
import { attributeFinder } from "./attribute-finder.ts";
import { convertValue } from "./convert-value.ts";
import { createItemMatch, type Item, type MatchRule } from "./item-match.ts";

type Scalar = string | number | boolean;

/** One action of the Collector's attributes processor, as config/ has checked it. */
export interface AttributeRule {
  readonly key: string;
  /**
   * insert: only where the key is missing · update: only where it is there · upsert: both · delete · hash: SHA-256 in hexadecimal ·
   * extract: the named groups of `pattern` become attributes · convert: another type, where the value allows it.
   */
  readonly action?: "insert" | "update" | "upsert" | "delete" | "hash" | "extract" | "convert" | undefined;
  readonly value?: Scalar | undefined;
  /** Copies this attribute's value; where it is missing `default_value` is taken, and without one nothing happens. */
  readonly from_attribute?: string | undefined;
  readonly default_value?: Scalar | undefined;
  readonly pattern?: string | undefined;
  readonly converted_type?: "int" | "double" | "string" | undefined;
}

export interface AttributesOptions {
  readonly include?: MatchRule | undefined;
  readonly exclude?: MatchRule | undefined;
  readonly actions: readonly AttributeRule[];
}

type Change = (attributes: AttributeList) => void;

/** Applies the actions in order to the attributes of a span or a log record. Source: attributesprocessor of the OpenTelemetry Collector. */
export function createAttributesProcessor({ include, exclude, actions }: AttributesOptions): (item: Item) => void {
  const changes = actions.map(changeOf);
  const includes = include === undefined ? undefined : createItemMatch(include);
  const excludes = exclude === undefined ? undefined : createItemMatch(exclude);
  return (item) => {
    if (includes?.(item) === false || excludes?.(item) === true) return;
    for (const change of changes) change(item.attributes);
  };
}

function changeOf(rule: AttributeRule): Change {
  const find = attributeFinder(rule.key);
  const atKey =
    (change: (attributes: AttributeList, index: number) => void): Change =>
    (attributes) => {
      const index = find(attributes);
      if (index >= 0) change(attributes, index);
    };
  switch (rule.action) {
    case "delete":
      return withPattern(rule, (attributes, index) => attributes.remove(index));
    case "hash":
      return withPattern(rule, hashValue);
    case "extract":
      return atKey(extractor(rule.pattern ?? ""));
    case "convert": {
      const { converted_type: type = "string" } = rule;
      return atKey((attributes, index) => convertValue(attributes, index, type));
    }
    default:
      return setter(rule, find);
  }
}

function setter(rule: AttributeRule, find: (attributes: AttributeList) => number): Change {
  const { action, key, from_attribute: source } = rule;
  const findSource = source === undefined ? undefined : attributeFinder(source);
  const constant = rule.value ?? rule.default_value;
  return (attributes) => {
    const index = find(attributes);
    if (index < 0 ? action === "update" : action === "insert") return;
    const from = findSource?.(attributes) ?? -1;
    if (from < 0 && constant === undefined) return;
    const target = index < 0 ? attributes.append(key) : index;
    if (from >= 0) attributes.copyValue(from, target);
    else setValue(attributes, target, constant ?? "");
  };
}

function setValue(attributes: AttributeList, index: number, value: Scalar): void {
  if (typeof value === "string") attributes.setText(index, value);
  else if (typeof value === "boolean") attributes.setScalar(index, VALUE_BOOL, value);
  else attributes.setScalar(index, Number.isInteger(value) ? VALUE_INT : VALUE_DOUBLE, value);
}

/** For delete and hash: the attribute of the key, and all whose name matches. */
function withPattern({ key, pattern }: AttributeRule, change: (attributes: AttributeList, index: number) => void): Change {
  const find = key === "" ? undefined : attributeFinder(key);
  const matches = pattern === undefined ? undefined : keyTest(pattern);
  return (attributes) => {
    const index = find?.(attributes) ?? -1;
    if (index >= 0) change(attributes, index);
    if (matches === undefined) return;
    for (let i = 0; i < attributes.count; i++) {
      if (i !== index && attributes.kinds[i] !== VALUE_REMOVED && matches(attributes, i)) change(attributes, i);
    }
  };
}

/** Whether the name of an attribute matches: asked once for each name in the key table. */
function keyTest(source: string): (attributes: AttributeList, index: number) => boolean {
  const pattern = RE2JS.compile(source);
  const known: (boolean | undefined)[] = [];
  return (attributes, index) => {
    const key = attributes.keys[index] ?? NOT_INTERNED;
    if (key === NOT_INTERNED) return pattern.test(attributes.name(index));
    known[key] ??= pattern.test(attributes.name(index));
    return known[key];
  };
}

function hashValue(attributes: AttributeList, index: number): void {
  const bytes = hashedBytes(attributes, index);
  attributes.setText(index, bytes.length === 0 ? "" : hash("sha256", bytes, "hex"));
}

/** What the Collector hashes: text as UTF-8, a boolean as one byte, a number as its eight bytes (little end first), nothing of other values. */
function hashedBytes(attributes: AttributeList, index: number): Buffer {
  const kind = attributes.kinds[index] ?? VALUE_EMPTY;
  if (kind === VALUE_STRING) return Buffer.from(attributes.text(index) ?? "", "utf8");
  if (kind === VALUE_BOOL) return Buffer.of(attributes.a[index] ?? 0);
  if (kind !== VALUE_INT && kind !== VALUE_DOUBLE) return Buffer.alloc(0);
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(attributes.a[index] ?? 0, 0);
  bytes.writeInt32LE(attributes.b[index] ?? 0, 4);
  return bytes;
}

/** The groups of the first match become attributes; one that took no part is empty text. */
function extractor(source: string): (attributes: AttributeList, index: number) => void {
  const pattern = RE2JS.compile(source);
  const targets = Object.entries(pattern.namedGroups()).map(([name, group]) => ({ name, group, find: attributeFinder(name) }));
  return (attributes, index) => {
    const text = attributes.text(index);
    if (text === undefined) return;
    const matcher = pattern.matcher(text);
    if (!matcher.find()) return;
    for (const { name, group, find } of targets) {
      const found = find(attributes);
      attributes.setText(found < 0 ? attributes.append(name) : found, matcher.group(group) ?? "");
    }
  };
}

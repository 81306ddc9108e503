import { RE2JS } from "re2js";
import type { Arena, AttributeList } from "../otlp/attribute-list.ts";
import { VALUE_ARRAY, VALUE_BOOL, VALUE_DOUBLE, VALUE_EMPTY, VALUE_INT, VALUE_STRING } from "../otlp/attribute-list.ts";
import type { OriginView } from "../otlp/span-view.ts";
import { attributeFinder } from "./attribute-finder.ts";
import { valueText } from "./value-text.ts";

/** A span or a log record, as far as processors look at it; name and kind are a span's alone. */
export interface Item {
  readonly arena: Arena;
  readonly resource: Pick<OriginView, "serial" | "attributes">;
  readonly attributes: AttributeList;
  readonly nameOffset?: number;
  readonly nameSize?: number;
  readonly kind?: number;
}

/** A key, and the value it must have; any where it is left out. */
interface Pair {
  readonly key: string;
  readonly value?: string | number | boolean | undefined;
}

/** Properties of the Collector's `include` and `exclude`: a match is one of services, one of names, one of kinds, and all of both lists of pairs. */
export interface MatchRule {
  readonly match_type?: "strict" | "regexp" | undefined;
  readonly services: readonly string[];
  readonly span_names: readonly string[];
  readonly span_kinds: readonly string[];
  readonly attributes: readonly Pair[];
  readonly resources: readonly Pair[];
}

/** Source: internal/filter/filtermatcher and filterspan of the Collector's contrib repository. Patterns are RE2's and unanchored. */
export function createItemMatch(rule: MatchRule): (item: Item) => boolean {
  const isRegexp = rule.match_type === "regexp";
  const texts = isRegexp ? anyPattern : anyText;
  const resourceTests = rule.resources.map((pair) => pairTest(pair, isRegexp));
  if (rule.services.length > 0) resourceTests.push(serviceTest(texts(rule.services)));
  const ofResource = oncePerResource((attributes) => resourceTests.every((test) => test(attributes)));
  const names = rule.span_names.length === 0 ? undefined : isRegexp ? byText(anyPattern(rule.span_names)) : byBytes(rule.span_names);
  const kinds = rule.span_kinds.length === 0 ? undefined : kindTest(texts(rule.span_kinds));
  const pairs = rule.attributes.map((pair) => pairTest(pair, isRegexp));
  return (item) =>
    (resourceTests.length === 0 || ofResource(item)) &&
    (kinds === undefined || kinds[item.kind ?? 0] === true) &&
    (names === undefined || names(item)) &&
    pairs.every((test) => test(item.attributes));
}

type TextTest = (text: string) => boolean;

function anyText(texts: readonly string[]): TextTest {
  const known = new Set(texts);
  return (text) => known.has(text);
}

function anyPattern(patterns: readonly string[]): TextTest {
  const compiled = patterns.map((each) => RE2JS.compile(each));
  return (text) => compiled.some((each) => each.test(text));
}

/** Compares bytes: no string is made of a span's name. */
function byBytes(names: readonly string[]): (item: Item) => boolean {
  const known = names.map((name) => Buffer.from(name, "utf8"));
  return ({ arena, nameOffset = 0, nameSize = 0 }) =>
    known.some((name) => name.length === nameSize && arena.request.compare(name, 0, nameSize, nameOffset, nameOffset + nameSize) === 0);
}

const byText =
  (test: TextTest) =>
  ({ arena, nameOffset = 0, nameSize = 0 }: Item): boolean =>
    test(arena.request.toString("utf8", nameOffset, nameOffset + nameSize));

const KIND_NAMES = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map((name) => `SPAN_KIND_${name}`);

const kindTest = (test: TextTest): readonly boolean[] => KIND_NAMES.map(test);

function serviceTest(test: TextTest): (resource: AttributeList) => boolean {
  const find = attributeFinder("service.name");
  return (resource) => {
    const index = find(resource);
    return index >= 0 && test(resource.text(index) ?? "");
  };
}

/** Whether a list has the key, with the value where one is given; as a pattern with `isRegexp`. */
export function pairTest({ key, value }: Pair, isRegexp: boolean): (attributes: AttributeList) => boolean {
  const find = attributeFinder(key);
  const test = value === undefined ? () => true : isRegexp ? patternTest(String(value)) : equals(value);
  return (attributes) => {
    const index = find(attributes);
    return index >= 0 && test(attributes, index);
  };
}

type ValueTest = (attributes: AttributeList, index: number) => boolean;

/** Patterns see scalars as text, and no other value. */
function patternTest(source: string): ValueTest {
  const pattern = RE2JS.compile(source);
  return (attributes, index) => {
    const kind = attributes.kinds[index] ?? VALUE_EMPTY;
    return kind !== VALUE_EMPTY && kind < VALUE_ARRAY && pattern.test(valueText(attributes, index));
  };
}

function equals(value: string | number | boolean): ValueTest {
  if (typeof value === "string") return (attributes, index) => attributes.kinds[index] === VALUE_STRING && attributes.text(index) === value;
  if (typeof value === "boolean")
    return (attributes, index) => attributes.kinds[index] === VALUE_BOOL && (attributes.a[index] === 1) === value;
  const kind = Number.isInteger(value) ? VALUE_INT : VALUE_DOUBLE;
  return (attributes, index) => attributes.kinds[index] === kind && attributes.number(index) === value;
}

/** A resource has many items: it is looked at once. */
function oncePerResource(test: (attributes: AttributeList) => boolean): (item: Item) => boolean {
  const known = new WeakMap<object, { serial: number; matches: boolean }>();
  return ({ resource }) => {
    const last = known.get(resource);
    if (last?.serial === resource.serial) return last.matches;
    const matches = test(resource.attributes);
    known.set(resource, { serial: resource.serial, matches });
    return matches;
  };
}

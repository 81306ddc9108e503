import { ByteWriter } from "../base/byte-writer.ts";
import { VALUE_BOOL, VALUE_EMPTY, VALUE_REMOVED, VALUE_STRING } from "../otlp/attribute-list.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { type Json, type JsonObject, parseJson } from "./json.ts";

/** Flattened lists hold at most so many values: indexes come from outside and may be anything. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 12;

/**
 * Values that a dialect wrote as one attribute each (`prefix.0.role`, `prefix.0.tool_calls.1.name`), as one structure. Levels whose keys are all
 * whole numbers become lists in the order of their numbers, without gaps. Objects have no prototype. Undefined when the span has none.
 */
export function gatherFlattened(view: SpanView, prefix: string): Json {
  const root = new Map<string, Node>();
  const { attributes } = view;
  let values = 0;
  for (let i = 0; i < attributes.count && values < MAX_VALUES; i++) {
    if (attributes.kinds[i] === VALUE_REMOVED || attributes.kinds[i] === VALUE_EMPTY) continue;
    const name = attributes.name(i);
    if (!name.startsWith(prefix)) continue;
    const path = name.slice(prefix.length).split(".");
    if (path.length > MAX_DEPTH || path.includes("")) continue;
    place(root, path, attributeValue(view, i));
    values++;
  }
  return values === 0 ? undefined : fold(root);
}

type Node = { readonly value: Json } | { readonly children: Map<string, Node> };

function place(root: Map<string, Node>, path: readonly string[], value: Json): void {
  let level = root;
  for (const key of path.slice(0, -1)) {
    let next = level.get(key);
    if (next === undefined || !("children" in next)) {
      next = { children: new Map() };
      level.set(key, next);
    }
    level = next.children;
  }
  const last = path.at(-1) ?? "";
  if (!level.has(last)) level.set(last, { value });
}

function fold(level: ReadonlyMap<string, Node>): Json {
  const entries = [...level].map(([key, node]): [string, Json] => [key, "children" in node ? fold(node.children) : node.value]);
  if (entries.every(([key]) => /^\d{1,9}$/.test(key))) {
    return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value);
  }
  const object = Object.create(null) as JsonObject;
  for (const [key, value] of entries) object[key] = value;
  return object;
}

/** An attribute as a plain value: text as text, numbers as numbers, structures opened. */
export function attributeValue(view: SpanView, index: number): Json {
  const { attributes } = view;
  if (attributes.kinds[index] === VALUE_STRING) return attributes.text(index);
  if (attributes.kinds[index] === VALUE_BOOL) return attributes.a[index] !== 0;
  const number = attributes.number(index);
  if (number !== undefined) return number;
  const json = new ByteWriter(256);
  writeJsonValue(json, attributes, index);
  return parseJson(json.view().toString("utf8"));
}

/** The value of an attribute by its name, or undefined; one that was emptied on its way has none. */
export function attributeNamed(view: SpanView, name: string): Json {
  const index = view.attributes.findName(name);
  return index < 0 || view.attributes.kinds[index] === VALUE_EMPTY ? undefined : attributeValue(view, index);
}

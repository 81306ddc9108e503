import { ByteWriter } from "../base/byte-writer.ts";
import { VALUE_BOOL, VALUE_EMPTY, VALUE_REMOVED, VALUE_STRING } from "../otlp/attribute-list.ts";
import { keyTable, NOT_INTERNED } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { type Json, type JsonObject, parseJson } from "./json.ts";

/** Flattened lists hold at most so many values: indexes come from outside and may be anything. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 12;

/** A name behind its prefix: places of lists as numbers. */
type Path = readonly (string | number)[];

/** Which of the values behind a prefix are meant. */
interface Wanted {
  /** Those of this last name. */
  readonly leaf?: string;
  /** Those of the list's entries: other names may share its prefix (`gen_ai.prompt.name` beside `gen_ai.prompt.0.role`). */
  readonly listed?: boolean;
}

/**
 * Values that a dialect wrote as one attribute each (`prefix.0.role`, `prefix.0.tool_calls.1.name`), as one structure. Levels whose keys are all
 * whole numbers become lists in the order of their numbers, without gaps. Objects have no prototype. Undefined when the span has none.
 */
export function gatherFlattened(view: SpanView, prefix: string, { leaf, listed = false }: Wanted = {}): Json {
  const { attributes } = view;
  const paths = pathsBehind(prefix);
  let root: Level | undefined;
  let values = 0;
  for (let i = 0; i < attributes.count && values < MAX_VALUES; i++) {
    const key = attributes.keys[i]!;
    let path = key === NOT_INTERNED ? pathBehind(prefix, attributes.name(i)) : paths[key];
    if (path === undefined) {
      path = pathBehind(prefix, attributes.name(i));
      paths[key] = path;
    }
    if (path === null || attributes.kinds[i] === VALUE_REMOVED || attributes.kinds[i] === VALUE_EMPTY) continue;
    if (leaf !== undefined && path.at(-1) !== leaf) continue;
    if (listed && typeof path[0] === "string") continue;
    root ??= emptyLevel();
    place(root, path, attributeValue(view, i));
    values++;
  }
  return root === undefined ? undefined : fold(root);
}

/** The entries of a list that a dialect wrote as one attribute each, in their order; none when the span has none. */
export function gatherList(view: SpanView, prefix: string, leaf?: string): Json[] {
  const list = gatherFlattened(view, prefix, leaf === undefined ? LISTED : { leaf, listed: true });
  return Array.isArray(list) ? list : [];
}

const LISTED: Wanted = { listed: true };

/** Paths by prefix and key id, null for a name without that prefix: names are few and spans are many. */
const knownPaths = new Map<string, (Path | null | undefined)[]>();

function pathsBehind(prefix: string): (Path | null | undefined)[] {
  let paths = knownPaths.get(prefix);
  if (paths === undefined) {
    paths = new Array<Path | null | undefined>(keyTable.dialects.length).fill(undefined);
    knownPaths.set(prefix, paths);
  }
  return paths;
}

function pathBehind(prefix: string, name: string): Path | null {
  if (!name.startsWith(prefix)) return null;
  const segments = name.slice(prefix.length).split(".");
  if (segments.length > MAX_DEPTH || segments.includes("")) return null;
  return segments.map((segment) => (/^\d{1,15}$/.test(segment) ? Number(segment) : segment));
}

interface Level {
  readonly entries: Map<string | number, Level | Leaf>;
  /** All keys are places of a list, and came in their order. */
  isList: boolean;
  inOrder: boolean;
  last: number;
}
interface Leaf {
  readonly value: Json;
}

const emptyLevel = (): Level => ({ entries: new Map(), isList: true, inOrder: true, last: -1 });

function add(level: Level, key: string | number, entry: Level | Leaf): void {
  level.entries.set(key, entry);
  if (typeof key === "string") level.isList = false;
  else if (key < level.last) level.inOrder = false;
  else level.last = key;
}

function place(root: Level, path: Path, value: Json): void {
  let level = root;
  for (let i = 0; i < path.length - 1; i++) {
    const key = path[i]!;
    let next = level.entries.get(key);
    if (next === undefined || !("entries" in next)) {
      next = emptyLevel();
      add(level, key, next);
    }
    level = next;
  }
  const last = path[path.length - 1]!;
  if (!level.entries.has(last)) add(level, last, { value });
}

const folded = (entry: Level | Leaf): Json => ("entries" in entry ? fold(entry) : entry.value);

function fold({ entries, isList, inOrder }: Level): Json {
  if (isList) {
    const list = inOrder ? [...entries.values()] : [...entries].sort(([a], [b]) => Number(a) - Number(b)).map(([, entry]) => entry);
    return list.map(folded);
  }
  const object = Object.create(null) as JsonObject;
  for (const [key, entry] of entries) object[key] = folded(entry);
  return object;
}

/** Room for one structured value at a time; more than this is not kept for the next. */
const MAX_SCRATCH_BYTES = 64 * 1024;
let scratch = new ByteWriter();

/** An attribute as a plain value: text as text, numbers as numbers, structures opened. */
export function attributeValue(view: SpanView, index: number): Json {
  const { attributes } = view;
  if (attributes.kinds[index] === VALUE_STRING) return attributes.text(index);
  if (attributes.kinds[index] === VALUE_BOOL) return attributes.a[index] !== 0;
  const number = attributes.number(index);
  if (number !== undefined) return number;
  scratch.clear();
  writeJsonValue(scratch, attributes, index);
  const value = parseJson(scratch.view().toString("utf8"));
  if (scratch.length > MAX_SCRATCH_BYTES) scratch = new ByteWriter();
  return value;
}

/** The value of an attribute by its name, or undefined; one that was emptied on its way has none. */
export function attributeNamed(view: SpanView, name: string): Json {
  const key = keyOf(name);
  const index = key === NOT_INTERNED ? view.attributes.findName(name) : view.attributes.find(key);
  return index < 0 || view.attributes.kinds[index] === VALUE_EMPTY ? undefined : attributeValue(view, index);
}

const keys = new Map<string, number>();

/** The key of a name that a dialect asks for, so that finding it compares numbers; names that dialects ask for are few. */
function keyOf(name: string): number {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name, "utf8");
  const key = keyTable.intern(bytes, 0, bytes.length);
  if (key !== NOT_INTERNED) keys.set(name, key);
  return key;
}

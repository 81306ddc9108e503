import { Expanded } from "./expand.ts";
import { isTree } from "./merge.ts";

/** What reading finds wrong, in two kinds that the Collector tells apart by the beginning of the message. */
export interface Findings {
  /** Faults of form: "failed to get config". */
  readonly loading: string[];
  /** Faults of meaning: "invalid configuration". */
  readonly meaning: string[];
}

/** Where a value stands. */
export interface Place {
  /** Keys joined by `::`. */
  readonly path: string;
  readonly findings: Findings;
  /** The `${…}` that the value came from: messages show it instead of the value. */
  readonly origin?: string;
  /** Put in front of every fault of form. */
  readonly prefix?: string;
}

/** Reads one value strictly; notes a fault and gives a stand-in, so that reading goes on and finds all faults. */
export type Reader<T> = (value: unknown, place: Place) => T;

/** A key of a section: how to read it and what it is when left out or null. */
export interface Field<T> {
  readonly read: Reader<T>;
  readonly fallback: T;
  /** Naming the key without a value already switches it on, with its defaults. */
  readonly onWhenNamed?: boolean;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

export const field = <T>(read: Reader<T>, fallback: T): Field<T> => ({ read, fallback });

/** A key that may be left out. */
export const optional = <T>(read: Reader<T>): Field<T | undefined> => ({ read, fallback: undefined });

/** A section that is on as soon as it is named, even without options. Source: configoptional of the Collector. */
export const switchedOn = <T>(read: Reader<T>): Field<T | undefined> => ({ read, fallback: undefined, onWhenNamed: true });

export const join = (path: string, key: string | number): string => (path === "" ? String(key) : `${path}::${key}`);

/** A fault of form at this place. */
export function fault({ findings, path, prefix = "" }: Place, message: string): void {
  findings.loading.push(`${prefix}${path === "" ? message : `${path}: ${message}`}`);
}

/** What stands behind `${…}`, by its YAML type. */
export const plain = (value: unknown): unknown => (value instanceof Expanded ? value.value : value);

/** The place of a child: what a variable held stays marked as such. */
function child(place: Place, parent: unknown, key: string | number): Place {
  const origin = parent instanceof Expanded ? parent.source : place.origin;
  return { ...place, path: join(place.path, key), ...(origin === undefined ? {} : { origin }) };
}

const MAX_SHOWN_CHARS = 80;

/** A value as a message may show it: never one of the environment (nor a default beside it), nor what looks like a user and a password. */
export function shown(value: unknown, place: Place): string {
  const origin = value instanceof Expanded ? value.source : place.origin;
  if (origin !== undefined) return origin.replace(/:-[^}]*/g, ":-…");
  const text = JSON.stringify(value) ?? "nothing";
  if (text.includes("@")) return "[REDACTED]";
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

/** Names of types as the Collector's messages have them. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "object" ? "map" : typeof value;
}

export function wrongType(value: unknown, expected: string, place: Place): void {
  fault(place, `expected type '${expected}', got unconvertible type '${typeName(plain(value))}'`);
}

export type Section<S extends Fields> = { readonly [K in keyof S]: S[K]["fallback"] };

/**
 * A map with known keys. Null, as section or as value, means the default. An unknown key is refused with the names there are; `refused` says
 * more about keys that the Collector knows and genspan does not have.
 */
export function section<S extends Fields>(fields: S, refused: Readonly<Record<string, string>> = {}): Reader<Section<S>> {
  return (value, place) => {
    const given = plain(value) ?? {};
    if (!isTree(given)) wrongType(value, "map", place);
    const tree = new Map(Object.entries(isTree(given) ? given : {}));
    for (const key of tree.keys()) {
      if (Object.hasOwn(fields, key)) continue;
      const why = Object.hasOwn(refused, key) ? `; ${refused[key]}` : "";
      fault(place, `has invalid keys: ${keyShown(key, value, place)}${why} (valid keys: ${Object.keys(fields).join(", ")})`);
    }
    const read = Object.entries(fields).map(([key, { read: readField, fallback, onWhenNamed }]) => {
      const inner = tree.get(key);
      const isLeftOut = onWhenNamed === true ? !tree.has(key) : (plain(inner) ?? undefined) === undefined;
      return [key, isLeftOut ? fallback : readField(inner, child(place, value, key))];
    });
    return Object.freeze(Object.fromEntries(read)) as Section<S>;
  };
}

const keyShown = (key: string, parent: unknown, place: Place): string =>
  parent instanceof Expanded || place.origin !== undefined ? "[REDACTED]" : key;

/** A list; text is split at commas, as the Collector does. */
export const list =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value, place) => {
    const given = plain(value);
    const entries: unknown = typeof given === "string" ? given.split(",") : given;
    if (Array.isArray(entries)) return Object.freeze(entries.map((entry, i) => read(entry, child(place, value, i))));
    wrongType(value, "list", place);
    return [];
  };

/** A map of any keys to values of one shape, in the order of the file. */
export const mapOf =
  <T>(read: Reader<T>): Reader<ReadonlyMap<string, T>> =>
  (value, place) => {
    const given = plain(value) ?? {};
    if (!isTree(given)) wrongType(value, "map", place);
    const entries = Object.entries(isTree(given) ? given : {});
    return new Map(entries.map(([key, inner]) => [key, read(inner, child(place, value, key))]));
  };

/** Says what is wrong with the meaning of a value whose form is right. */
export type Check<T> = (value: T, say: (message: string) => void) => void;

/** Adds rules that reach over several keys. They run only where the form is right: one mistake is one fault. */
export const checked =
  <T>(read: Reader<T>, check: Check<T>): Reader<T> =>
  (value, place) => {
    const { loading, meaning } = place.findings;
    const before = loading.length;
    const result = read(value, place);
    if (loading.length === before) check(result, (message) => meaning.push(`${place.path}: ${message}`));
    return result;
  };

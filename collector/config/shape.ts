import { Expanded } from "./expand.ts";
import { isTree } from "./merge.ts";

/** Where a value stands, and where its faults go. */
export interface Place {
  readonly path: string;
  readonly problems: string[];
}

/** Reads one value strictly; on a fault notes it under the place's path and gives a stand-in, so that reading goes on and finds all faults. */
export type Reader<T> = (value: unknown, place: Place) => T;

/** A field of a section: how to read it and what it is when left out. */
export interface Field<T> {
  readonly read: Reader<T>;
  readonly fallback: T;
}

export const field = <T>(read: Reader<T>, fallback: T): Field<T> => ({ read, fallback });

const fault = (place: Place, message: string): void => {
  place.problems.push(place.path === "" ? message : `${place.path}: ${message}`);
};

const at = (place: Place, key: string | number): Place => ({ ...place, path: place.path === "" ? String(key) : `${place.path}::${key}` });

/** What a typed field sees: a value from `${…}` by its YAML type. */
const plain = (value: unknown): unknown => (value instanceof Expanded ? value.value : value);

/** A value as a message may show it. */
const shown = (value: unknown): string => (value instanceof Expanded ? "of the environment" : JSON.stringify(value));

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === null) return "null";
  return typeof value === "object" ? "a map" : `${typeof value}`;
}

/** A map with known keys; a null section means its defaults, an unknown key is refused with the names there are. */
export function section<S extends Record<string, Field<unknown>>>(fields: S): Reader<{ readonly [K in keyof S]: S[K]["fallback"] }> {
  return (value, place) => {
    const given = plain(value) ?? {};
    if (!isTree(given)) fault(place, `expected a map, got ${kindOf(given)}`);
    const tree = isTree(given) ? given : {};
    for (const key of Object.keys(tree)) {
      if (!(key in fields)) fault(place, `has invalid keys: ${key} (valid keys: ${Object.keys(fields).join(", ")})`);
    }
    const read = Object.entries(fields).map(([key, { read: readField, fallback }]) => {
      const inner = tree[key];
      return [key, inner === undefined ? fallback : readField(inner, at(place, key))];
    });
    return Object.freeze(Object.fromEntries(read)) as { readonly [K in keyof S]: S[K]["fallback"] };
  };
}

export const text: Reader<string> = (value, place) => {
  if (value instanceof Expanded) return value.text;
  if (typeof value === "string") return value;
  fault(place, `expected a string, got ${kindOf(value)}`);
  return "";
};

export const oneOf =
  <T extends string>(...values: readonly T[]): Reader<T> =>
  (value, place) => {
    const given = text(value, place);
    if (!values.includes(given as T)) fault(place, `unknown value ${shown(value)} (valid values: ${values.join(", ")})`);
    return given as T;
  };

export const bool: Reader<boolean> = (value, place) => {
  const given = plain(value);
  if (typeof given !== "boolean") fault(place, `expected true or false, got ${kindOf(given)}`);
  return given === true;
};

/** A whole number within bounds. */
export const integer =
  (min: number, max = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (value, place) => {
    const given = plain(value);
    if (typeof given !== "number" || !Number.isInteger(given)) fault(place, `expected a whole number, got ${kindOf(given)}`);
    else if (given < min || given > max) fault(place, `must be from ${min} to ${max}, got ${shown(value)}`);
    return typeof given === "number" ? given : min;
  };

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it (300ms, 1.5s, 2h45m), in milliseconds. */
export const durationMillis: Reader<number> = (value, place) => {
  const given = value instanceof Expanded ? value.text : value;
  const pieces = typeof given === "string" ? [...given.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)] : [];
  if (typeof given === "string" && pieces.length > 0 && pieces.map(([all]) => all).join("") === given) {
    return pieces.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0), 0);
  }
  fault(place, `time: invalid duration ${shown(value)} (write it like 300ms, 5s or 1h30m)`);
  return 0;
};

/** An address to listen on. */
export interface Endpoint {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export const endpoint: Reader<Endpoint> = (value, place) => {
  const given = text(value, place);
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(given);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    fault(place, `invalid endpoint ${shown(value)} (write host:port, such as 127.0.0.1:4318)`);
    return { host: "127.0.0.1", port: 0 };
  }
  return { host: match[1] ?? (match[2] || "0.0.0.0"), port };
};

export const urlPath: Reader<string> = (value, place) => {
  const given = text(value, place);
  if (!given.startsWith("/")) fault(place, `must begin with "/", got ${shown(value)}`);
  return given;
};

/** A list; text is split at commas, as the Collector does. */
export const list =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value, place) => {
    const given = plain(value);
    const entries = typeof given === "string" ? given.split(",") : given;
    if (!Array.isArray(entries)) {
      fault(place, `expected a list, got ${kindOf(given)}`);
      return [];
    }
    return Object.freeze(entries.map((entry, i) => read(entry, at(place, i))));
  };

/** Any scalar, as a rule's value. */
export const scalar: Reader<string | number | boolean> = (value, place) => {
  const given = plain(value);
  if (typeof given === "string" || typeof given === "number" || typeof given === "boolean") return given;
  fault(place, `expected a string, a number, true or false, got ${kindOf(given)}`);
  return "";
};

/** A field that may be left out. */
export const optional = <T>(read: Reader<T>): Field<T | undefined> => ({ read, fallback: undefined });

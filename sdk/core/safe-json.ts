/** How deep values are written; deeper ones are named by their kind. */
const MAX_DEPTH = 64;
/** Members of one object or list that are written. */
const MAX_MEMBERS = 10_000;
/** Values that are written in all: an object that many members share is written for each of them. */
const MAX_VALUES = 100_000;
/** Characters of all strings that are written; what is recorded is cut to bytes later. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** Binary values up to this size are written as base64, larger ones named by their size. */
const MAX_BINARY_BYTES = 64 * 1024;

const UNREADABLE = "[unreadable]";

/**
 * JSON text of anything an application may hand over. What JSON has no form for becomes text that says what it was: BigInt its digits, functions
 * and symbols their name, cycles `[circular]`, members whose getter throws `[unreadable]`. Bounded in depth, members and length. Never throws;
 * undefined only for undefined.
 */
export function safeJson(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  try {
    return JSON.stringify(plain(value, { above: new Set(), values: MAX_VALUES, characters: MAX_CHARACTERS })) ?? "null";
  } catch {
    return `"${UNREADABLE}"`;
  }
}

/** Text as it is, everything else as JSON. */
export const safeText = (value: unknown): string | undefined => (typeof value === "string" ? value : safeJson(value));

interface Walk {
  /** The objects that this one lies in. */
  readonly above: Set<object>;
  /** Values and characters that may still be written. */
  values: number;
  characters: number;
}

/** A copy that JSON can hold. */
function plain(value: unknown, walk: Walk): unknown {
  const { above } = walk;
  if (typeof value === "string") return text(value, walk);
  if (typeof value !== "object" || value === null) return scalar(value);
  if (value instanceof Uint8Array) return text(binary(value), walk);
  if (walk.values-- <= 0) return "[more]";
  if (above.has(value)) return "[circular]";
  if (above.size >= MAX_DEPTH) return Array.isArray(value) ? "[list]" : "[object]";
  above.add(value);
  try {
    return Array.isArray(value) ? list(value, walk) : object(value, walk);
  } catch {
    return UNREADABLE;
  } finally {
    above.delete(value);
  }
}

function text(value: string, walk: Walk): string {
  const kept = value.length > walk.characters ? value.slice(0, walk.characters) : value;
  walk.characters -= kept.length;
  return kept;
}

function scalar(value: unknown): unknown {
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "function":
      return `[function ${value.name || "anonymous"}]`;
    case "symbol":
      return value.toString();
    default:
      return value;
  }
}

const binary = (bytes: Uint8Array): string =>
  bytes.length > MAX_BINARY_BYTES
    ? `[${bytes.length} bytes]`
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

function list(values: readonly unknown[], walk: Walk): unknown[] {
  const copy: unknown[] = [];
  for (let i = 0; i < Math.min(values.length, MAX_MEMBERS); i++) copy.push(member(values, i, walk));
  return copy;
}

function object(value: object, walk: Walk): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map) return list([...value.entries()], walk);
  if (value instanceof Set) return list([...value], walk);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return plain(toJSON.call(value), walk);
  const copy: Record<string, unknown> = {};
  let count = 0;
  for (const name of Object.keys(value)) {
    if (count++ >= MAX_MEMBERS) break;
    const written = member(value, name, walk);
    if (name === "__proto__") Object.defineProperty(copy, name, { value: written, enumerable: true });
    else copy[name] = written;
  }
  return copy;
}

function member(of: object, name: string | number, walk: Walk): unknown {
  let value: unknown;
  try {
    value = (of as Record<string | number, unknown>)[name];
  } catch {
    return UNREADABLE;
  }
  return plain(value, walk);
}

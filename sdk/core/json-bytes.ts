import { createEscapeMemory, escapedBytes, escapedText, IS_ESCAPED, type Levels, SLACK_BYTES, TEXT_AT } from "./json-escape.ts";

/**
 * JSON that is written into bytes as it is made. Prompts go there without strings in between: escaped twice by JSON.stringify they cost about half of all CPU that
 * sending takes, and most of the garbage.
 */
export interface JsonBytes {
  /** JSON as it stands. */
  add(json: string): void;
  /** A text as a string literal. */
  literal(text: string): void;
  /** The JSON text of a value as a string literal. The value is plain: lists, objects, texts, finite numbers, booleans and null. */
  nested(value: unknown): void;
  /** Bytes that were written before. */
  bytes(written: Uint8Array): void;
  /** How many bytes there are. */
  length(): number;
  /** The bytes from a position on; valid until the next `clear`. */
  since(start: number): Uint8Array;
  /** Begins anew in the same memory. */
  clear(): void;
}

/** Larger memory, which one large record took, is given back. */
const KEPT_BYTES = 2 * 1024 * 1024;
/** Texts are escaped in chunks of so many UTF-16 units, which take three bytes each at most. */
const CHUNK = 16 * 1024;
/** Where what is written begins: before it is the room for one chunk that is not escaped yet. */
const BEGIN = TEXT_AT + CHUNK * 3 + SLACK_BYTES;
/** Texts up to this are written byte by byte. */
const SHORT = 128;

const QUOTES = ["", '"', '\\"'] as const;

/** `createMemory` is for tests: by default the fastest that this runtime has. */
export function createJsonBytes(createMemory = createEscapeMemory): JsonBytes {
  let space = createMemory();
  let memory = space.bytes;
  let end = BEGIN;

  function reserve(bytes: number): void {
    if (end + bytes <= memory.length) return;
    space.grow(Math.max(memory.length * 2, end + bytes));
    memory = space.bytes;
  }

  function add(json: string): void {
    reserve(json.length * 3);
    if (json.length > SHORT || !addAscii(json, false)) end += memory.write(json, end, "utf8");
  }

  /** Writes a short text of ASCII byte by byte, which costs less than a call out of JavaScript; false, and nothing, where that is not all. */
  function addAscii(text: string, isContent: boolean): boolean {
    const bytes = memory;
    let at = end;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f || (isContent && IS_ESCAPED[unit] === 1)) return false;
      bytes[at++] = unit;
    }
    end = at;
    return true;
  }

  function literal(text: string, levels: Levels): void {
    add(QUOTES[levels]);
    if (text.length > SHORT) long(text, levels);
    else {
      reserve(text.length);
      if (!addAscii(text, true)) add(escapedText(text, levels));
    }
    add(QUOTES[levels]);
  }

  function long(text: string, levels: Levels): void {
    for (let from = 0; from < text.length; ) {
      const to = chunkEnd(text, from);
      const size = memory.write(from === 0 && to === text.length ? text : text.slice(from, to), TEXT_AT, "utf8");
      reserve(escapedBytes(size));
      end = space.escape(TEXT_AT, TEXT_AT + size, end, levels);
      from = to;
    }
  }

  function value(of: unknown): void {
    if (typeof of === "string") literal(of, 2);
    else if (Array.isArray(of)) list(of);
    else if (typeof of === "object" && of !== null) members(of as Readonly<Record<string, unknown>>);
    else add(JSON.stringify(of));
  }

  function list(of: readonly unknown[]): void {
    add("[");
    for (let i = 0; i < of.length; i++) {
      if (i > 0) add(",");
      value(of[i]);
    }
    add("]");
  }

  function members(of: Readonly<Record<string, unknown>>): void {
    let separator = "{";
    for (const name in of) {
      if (of[name] === undefined) continue;
      add(separator);
      literal(name, 2);
      add(":");
      value(of[name]);
      separator = ",";
    }
    add(separator === "{" ? "{}" : "}");
  }

  return {
    add,
    literal: (text) => literal(text, 1),
    nested(given) {
      add('"');
      value(given);
      add('"');
    },
    bytes(written) {
      reserve(written.length);
      memory.set(written, end);
      end += written.length;
    },
    length: () => end - BEGIN,
    since: (start) => memory.subarray(BEGIN + start, end),
    clear() {
      if (memory.length > KEPT_BYTES) {
        space = createMemory();
        memory = space.bytes;
      }
      end = BEGIN;
    },
  };
}

/** Where a chunk that begins at `from` ends: never between the two halves of a character. */
function chunkEnd(text: string, from: number): number {
  const to = from + CHUNK;
  if (to >= text.length) return text.length;
  const last = text.charCodeAt(to - 1);
  return last >= 0xd800 && last <= 0xdbff ? to - 1 : to;
}

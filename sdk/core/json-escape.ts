/** What is used of a Buffer. Applications that do not have the types of Node must be able to read the declarations, so these do not name it. */
export interface WritableBytes extends Uint8Array {
  /** Gives how many bytes were written. */
  write(text: string, at: number, encoding: "utf8" | "latin1"): number;
}

/** Memory in which texts are escaped as JSON escapes them. */
export interface EscapeMemory {
  /** All of it; another object after each `grow`. What it begins with, up to `TEXT_AT`, is not for what is written. */
  readonly bytes: WritableBytes;
  /** Makes it so large at least; what it holds stays. */
  grow(sizeBytes: number): void;
  /** Writes the bytes from `from` to before `last`, escaped, to `to`; gives where they end. Needs `escapedBytes` there, and room for `SLACK_BYTES` behind `last`. */
  escape(from: number, last: number, to: number, levels: Levels): number;
}

/** How often a text is escaped: it stands in a string of JSON, or in one that stands in another. */
export type Levels = 1 | 2;

/** Beyond the end of a text, and of what becomes of it, as many bytes are touched at most. */
export const SLACK_BYTES = 16;

const ENTRY_BYTES = 8;
const TABLE_BYTES = 128 * ENTRY_BYTES;
/** Behind the tables of both levels. */
export const TEXT_AT = 2 * TABLE_BYTES;

/** What so many bytes take at most when they are escaped: seven for each. */
export const escapedBytes = (sizeBytes: number): number => sizeBytes * (ENTRY_BYTES - 1) + SLACK_BYTES;

const escapedOnce = (text: string): string => JSON.stringify(text).slice(1, -1);

/** A short text as it stands in a string of JSON. */
export const escapedText = (text: string, levels: Levels): string => (levels === 1 ? escapedOnce(text) : escapedOnce(escapedOnce(text)));

/** For each byte of ASCII what stands in its place, and in the last byte of the entry its length. */
const TABLES = Buffer.alloc(2 * TABLE_BYTES);
for (const levels of [1, 2] as const) {
  for (let byte = 0; byte < TABLE_BYTES / ENTRY_BYTES; byte++) {
    const at = tableOf(levels) + byte * ENTRY_BYTES;
    TABLES[at + ENTRY_BYTES - 1] = TABLES.write(escapedText(String.fromCharCode(byte), levels), at, "latin1");
  }
}

function tableOf(levels: Levels): number {
  return (levels - 1) * TABLE_BYTES;
}

/** Bytes that JSON escapes, by their number. */
export const IS_ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 || byte === 0x22 || byte === 0x5c ? 1 : 0));

/** The instructions of json-escape.wat, assembled: a file of their own would be lost where applications are bundled. */
export const INSTRUCTIONS =
  "AGFzbQEAAAABCQFgBH9/f38BfwMCAQAFAwEACAcTAgZtZW1vcnkCAAZlc2NhcGUAAArVAQHSAQMBewF/AX4CQANAIAAgAU8NASAA/QAEACEEIAIgBP0LBAAgBP0MICAg" +
  "ICAgICAgICAgICAgIP0mIAT9DCIiIiIiIiIiIiIiIiIiIiL9IyAE/QxcXFxcXFxcXFxcXFxcXFxc/SP9UP1Q/WQhBSAFRQRAIABBEGohACACQRBqIQIMAQsgBWghBSAA" +
  "IAVqIQAgAiAFaiECIAAgAU8NASADIAAtAABBA3RqKQMAIQYgAiAGNwMAIAIgBkI4iKdqIQIgAEEBaiEADAALCyACIAAgAWtrCw==";

const PAGE_BYTES = 64 * 1024;

interface EscapeExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  escape(from: number, last: number, to: number, table: number): number;
}

let module: object | undefined;

/** Sixteen bytes at a time: a prompt of 10 KB takes 5 µs, written and escaped twice, where a loop in JavaScript took 20. Throws where the runtime has no WebAssembly, or the processor no such instructions. */
export function createFastMemory(): EscapeMemory {
  module ??= new WebAssembly.Module(Buffer.from(INSTRUCTIONS, "base64"));
  const instructions = new WebAssembly.Instance(module).exports;
  const { memory } = instructions;
  let bytes = Buffer.from(memory.buffer);
  bytes.set(TABLES);
  return {
    get bytes() {
      return bytes;
    },
    grow(sizeBytes) {
      memory.grow(Math.ceil((sizeBytes - bytes.length) / PAGE_BYTES));
      bytes = Buffer.from(memory.buffer);
    },
    escape: (from, last, to, levels) => instructions.escape(from, last, to, tableOf(levels)),
  };
}

/** The same for every runtime, one byte at a time. */
export function createPlainMemory(): EscapeMemory {
  let bytes = Buffer.alloc(PAGE_BYTES, TABLES);
  return {
    get bytes() {
      return bytes;
    },
    grow(sizeBytes) {
      const larger = Buffer.allocUnsafeSlow(sizeBytes);
      bytes.copy(larger);
      bytes = larger;
    },
    escape(from, last, to, levels) {
      let end = to;
      for (let at = from; at < last; at++) {
        const byte = bytes[at]!;
        if (IS_ESCAPED[byte] === 0) bytes[end++] = byte;
        else {
          const entry = tableOf(levels) + byte * ENTRY_BYTES;
          bytes.copyWithin(end, entry, entry + ENTRY_BYTES - 1);
          end += bytes[entry + ENTRY_BYTES - 1]!;
        }
      }
      return end;
    },
  };
}

export function createEscapeMemory(): EscapeMemory {
  try {
    return createFastMemory();
  } catch {
    return createPlainMemory();
  }
}

/** What is used of WebAssembly here: the types for Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: EscapeExports };
};

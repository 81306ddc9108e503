import { readFileSync } from "node:fs";

/** Which of the needles occur in the bytes, by their place in the list. */
export type NeedleSearch = (bytes: Buffer) => ReadonlySet<number>;

interface ScanExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Where a scan that found many candidates has stopped. */
  readonly next: { readonly value: number };
  scan(from: number, to: number): number;
}

/** How needle-scan.wat lays out its memory. */
const TABLE_BYTES = 16;
const CANDIDATES_AT = 128;
const TEXT_AT = 16_384;
const CHUNK_BYTES = 128 * 1024;
const PADDING_BYTES = 32;

/** Candidates are told apart by this many first bytes. */
export const FINGERPRINT_BYTES = 3;
const GROUPS = 8;

/**
 * One search for many needles of at least three bytes each, sixteen places at a time: about 0.6 ns per byte for all of them, where a native search takes a
 * third of that for each needle that begins with a common letter. Its instructions are in needle-scan.wat; what they find is compared here.
 */
export function createNeedleSearch(needles: readonly Buffer[]): NeedleSearch {
  const { memory, next, scan } = instantiate();
  new Uint8Array(memory.buffer).set(fingerprintTables(needles));
  const text = new Uint8Array(memory.buffer, TEXT_AT);
  const candidates = new Int32Array(memory.buffer, CANDIDATES_AT, (TEXT_AT - CANDIDATES_AT) / 4);
  const byFirst = Array.from({ length: 256 }, (_, byte) => needles.flatMap((needle, i) => (needle[0] === byte ? [{ needle, i }] : [])));

  return (bytes) => {
    const found = new Set<number>();
    for (let chunk = 0; chunk < bytes.length; chunk += CHUNK_BYTES) {
      const size = Math.min(CHUNK_BYTES, bytes.length - chunk);
      // The last places of a chunk need the first bytes of the next one.
      const copied = bytes.subarray(chunk, chunk + size + FINGERPRINT_BYTES - 1);
      text.set(copied);
      text.fill(0, copied.length, copied.length + PADDING_BYTES);
      for (let from = 0; from < size; from = next.value) {
        const count = scan(from, size);
        for (let i = 0; i < count; i++) note(found, chunk + candidates[i]!, { bytes, byFirst });
      }
    }
    return found;
  };
}

interface Sought {
  readonly bytes: Buffer;
  /** The needles that begin with a byte, with their places in the list. */
  readonly byFirst: readonly (readonly { readonly needle: Buffer; readonly i: number }[])[];
}

function note(found: Set<number>, at: number, { bytes, byFirst }: Sought): void {
  for (const { needle, i } of byFirst[bytes[at]!]!) if (stands(bytes, at, needle) && !found.has(i)) found.add(i);
}

/** Byte by byte, since a native comparison of so few costs ten times as much; from the end, since candidates begin alike. */
function stands(bytes: Buffer, at: number, needle: Buffer): boolean {
  for (let i = needle.length - 1; i > 0; i--) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** Six tables of sixteen flags: lower halves of bytes 1, 2 and 3, then upper halves. Needles that begin alike share a group, since one group confuses what is in it. */
function fingerprintTables(needles: readonly Buffer[]): Uint8Array {
  const tables = new Uint8Array(2 * FINGERPRINT_BYTES * TABLE_BYTES);
  const alike = [...new Set(needles.map((needle) => needle[0]!))].toSorted((a, b) => a - b);
  for (const needle of needles) {
    if (needle.length < FINGERPRINT_BYTES) throw new Error("a needle is shorter than its fingerprint");
    const flag = 1 << (alike.indexOf(needle[0]!) % GROUPS);
    for (let place = 0; place < FINGERPRINT_BYTES; place++) {
      const byte = needle[place]!;
      tables[place * TABLE_BYTES + (byte & 15)]! |= flag;
      tables[(FINGERPRINT_BYTES + place) * TABLE_BYTES + (byte >> 4)]! |= flag;
    }
  }
  return tables;
}

function instantiate(): ScanExports {
  const module = new WebAssembly.Module(readFileSync(new URL("needle-scan.wasm", import.meta.url)));
  return new WebAssembly.Instance(module).exports;
}

/** What is used of WebAssembly here: the types for Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: ScanExports };
};

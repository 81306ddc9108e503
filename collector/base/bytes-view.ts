let viewed: Uint8Array = new Uint8Array(0);
let view = new DataView(viewed.buffer);

/**
 * The bytes as a DataView, which reads four of them at once wherever they stand. The last view is kept: readers stay with one request
 * for thousands of calls.
 */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes === viewed) return view;
  viewed = bytes;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view;
}

/** Constant bytes, ready to be written and compared four at a time. */
export interface Literal {
  readonly size: number;
  /** The bytes as little-endian words, the last one filled up with zeros. */
  readonly words: Int32Array;
}

export function literal(text: string | Uint8Array): Literal {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  for (let i = 0; i < bytes.length; i++) words[i >> 2] |= bytes[i] << ((i & 3) * 8);
  return { size: bytes.length, words };
}

/** Whether `bytes[start, start + size)` are those of the literal. */
export function equalsLiteral({ size: known, words }: Literal, bytes: Uint8Array, start: number, size: number): boolean {
  if (known !== size) return false;
  const source = viewOf(bytes);
  const whole = size >> 2;
  for (let i = 0; i < whole; i++) if (source.getInt32(start + i * 4, true) !== words[i]) return false;
  for (let i = whole * 4; i < size; i++) if (bytes[start + i] !== ((words[whole] >>> ((i & 3) * 8)) & 0xff)) return false;
  return true;
}

import { isUtf8 } from "node:buffer";
import { ByteWriter } from "../base/byte-writer.ts";
import { type Literal, literal, viewOf } from "../base/bytes-view.ts";
import { MENDED_NUL, MENDED_UTF8 } from "../otlp/json-string.ts";
import type { Halves } from "../otlp/span-view.ts";

/**
 * Fields of PostgreSQL's binary COPY format (COPY, "Binary Format"): a 32-bit length and the value in the type's binary form.
 * Source: the `…_recv` functions' input, in network byte order.
 */

const NULL_LENGTH = 0xffffffff;
/** Version byte of jsonb's binary form, before its JSON text. */
const JSONB_VERSION = 1;
/** Microseconds from 1970 to PostgreSQL's epoch, 2000-01-01. */
const PG_EPOCH_US = 946_684_800_000_000;
const TWO_32 = 4_294_967_296;

export const copyNull = (out: ByteWriter): void => out.u32(NULL_LENGTH);

export function copyInt2(out: ByteWriter, value: number): void {
  out.u32(2);
  out.u16(value);
}

export function copyInt4(out: ByteWriter, value: number): void {
  out.u32(4);
  out.u32(value);
}

/** An int8 from a safe integer or a bigint inside int64. */
export function copyInt8(out: ByteWriter, value: number | bigint): void {
  out.u32(8);
  if (typeof value === "bigint") {
    out.reserve(8);
    out.length = out.buffer.writeBigInt64BE(value, out.length);
    return;
  }
  const high = Math.floor(value / TWO_32);
  out.u32(high);
  out.u32(value - high * TWO_32);
}

export function copyFloat8(out: ByteWriter, value: number): void {
  out.u32(8);
  out.f64(value);
}

const scratch = new ByteWriter();

/** A field made once, for values that many rows share. */
export function constantField(write: (out: ByteWriter) => void): Literal {
  scratch.clear();
  write(scratch);
  return literal(scratch.view());
}

/** Text as it is; NUL and lone surrogates become U+FFFD. */
export function copyString(out: ByteWriter, text: string): void {
  const at = out.length;
  out.u32(text.length);
  if (out.shortAscii(text)) return;
  out.setU32(at, out.utf8(text.includes("\u0000") ? text.replaceAll("\u0000", "\uFFFD") : text));
}

/** JSON text as jsonb. */
export function copyJson(out: ByteWriter, json: string): void {
  const at = beginJson(out);
  out.utf8(json);
  endField(out, at);
}

/** Opens a jsonb field of which the JSON text is written next; `endField` closes it. */
export function beginJson(out: ByteWriter): number {
  const at = out.length;
  out.u32(0);
  out.u8(JSONB_VERSION);
  return at;
}

/** Opens a text field of which the UTF-8 bytes are written next. */
export function beginText(out: ByteWriter): number {
  const at = out.length;
  out.u32(0);
  return at;
}

export function endField(out: ByteWriter, at: number): void {
  out.setU32(at, out.length - at - 4);
}

/** Below this a loop over words beats two native calls. */
const SHORT_TEXT = 256;

/** `source[start, end)` as text, whole; NUL and invalid UTF-8 become U+FFFD. Returns what was mended. */
export function copyText(out: ByteWriter, source: Buffer, start: number, end: number): number {
  const size = end - start;
  out.reserve(4 + size);
  if (size <= SHORT_TEXT && copyAscii(out, viewOf(source), start, size)) return 0;
  const slice = source.subarray(start, end);
  const valid = isUtf8(slice);
  const nul = slice.indexOf(0) >= 0;
  if (valid && !nul) {
    out.u32(size);
    out.bytes(source, start, end);
    return 0;
  }
  copyString(out, slice.toString("utf8"));
  return (valid ? 0 : MENDED_UTF8) | (nul ? MENDED_NUL : 0);
}

const HIGH_BITS = 0x80808080 | 0;

/** A field of ASCII without NUL, for which there is room; false, and nothing written, for other text. Four bytes at a time, the last ones twice. */
function copyAscii(out: ByteWriter, source: DataView, start: number, size: number): boolean {
  const { data } = out;
  const at = out.length + 4;
  const last = size - 4;
  let marks = 0;
  for (let i = 0; i < last; i += 4) {
    const word = source.getInt32(start + i, true);
    marks |= word | (word - 0x01010101);
    data.setInt32(at + i, word, true);
  }
  if (last >= 0) {
    const word = source.getInt32(start + last, true);
    marks |= word | (word - 0x01010101);
    data.setInt32(at + last, word, true);
  } else {
    for (let i = 0; i < size; i++) {
      const byte = source.getUint8(start + i);
      marks |= byte | (byte - 1);
      data.setUint8(at + i, byte);
    }
  }
  if ((marks & HIGH_BITS) !== 0) return false;
  data.setUint32(at - 4, size);
  out.length = at + size;
  return true;
}

/** Halves above this make sums that a double cannot hold exactly (years after 2242); they take the bigint way. */
const EXACT_HIGH_HALF = 2_000_000_000;
/** Up to here (the year 2105) seconds fit 32 bits. */
const DIGIT_HIGH_HALF = 999_000_000;

/** Unix nanoseconds (unsigned 64 bit) as timestamptz, rounded down to the microsecond. Returns the nanoseconds below it, 0–999. */
export function copyTime(out: ByteWriter, time: Halves): number {
  const low = time.lo >>> 0;
  const high = time.hi >>> 0;
  if (high > EXACT_HIGH_HALF) return copyTimeBig(out, (BigInt(high) << 32n) | BigInt(low));
  // ns = high * 2^32 + low, and 2^32 = 4294967 * 1000 + 296.
  const rest = high * 296 + low;
  const micros = high * 4_294_967 + Math.floor(rest / 1000) - PG_EPOCH_US;
  copyInt8(out, micros);
  return rest % 1000;
}

function copyTimeBig(out: ByteWriter, nanos: bigint): number {
  copyInt8(out, nanos / 1000n - BigInt(PG_EPOCH_US));
  return Number(nanos % 1000n);
}

/** Milliseconds since 1970 as timestamptz. */
export function copyMillis(out: ByteWriter, millis: number): void {
  copyInt8(out, Math.floor(millis * 1000) - PG_EPOCH_US);
}

/** `to - from` in nanoseconds: exact, a number when it is safe. */
export function nanosBetween(from: Halves, to: Halves): number | bigint {
  const high = (to.hi >>> 0) - (from.hi >>> 0);
  const low = (to.lo >>> 0) - (from.lo >>> 0);
  const difference = high * TWO_32 + low;
  if (Number.isSafeInteger(difference)) return difference;
  return (BigInt(high) << 32n) + BigInt(low);
}

/** Unix nanoseconds (unsigned 64 bit) in decimal digits. */
export function writeNanos(out: ByteWriter, time: Halves): void {
  const low = time.lo >>> 0;
  const high = time.hi >>> 0;
  if (high > DIGIT_HIGH_HALF) {
    out.ascii(nanosText(time));
    return;
  }
  const rest = high * 296 + low;
  const micros = high * 4_294_967 + Math.floor(rest / 1000);
  const seconds = Math.floor(micros / 1_000_000);
  const nanos = (micros - seconds * 1_000_000) * 1000 + (rest % 1000);
  if (seconds > 0) out.decimal(seconds);
  out.decimal(nanos, seconds > 0 ? 9 : 1);
}

export const nanosText = (time: Halves): string => ((BigInt(time.hi >>> 0) << 32n) | BigInt(time.lo >>> 0)).toString();

/** Exact decimal text (digits, optional sign, point and exponent) as numeric: see numeric_recv. */
export function copyNumeric(out: ByteWriter, value: number): void {
  if (copySmallNumeric(out, value)) return;
  const { negative, digits, weight, scale } = toBase10000(value);
  out.u32(8 + digits.length * 2);
  out.u16(digits.length);
  out.u16(weight);
  out.u16(negative ? 0x4000 : 0);
  out.u16(scale);
  for (const digit of digits) out.u16(digit);
}

const SCALE = 12;
const UNIT = 10 ** SCALE;
/** Whole parts of one group of digits, and below 2^53 of UNIT: so far doubles lie closer than the last decimal, and only one text of that length stands for each. */
const MAX_SMALL = 8_192;

/** Amounts as prices make them, with at most twelve decimals, by arithmetic: text costs ten times as much. False for any other value. */
function copySmallNumeric(out: ByteWriter, value: number): boolean {
  const units = Math.round(value * UNIT);
  if (!(value >= 0 && value < MAX_SMALL) || units / UNIT !== value) return false;
  const whole = Math.floor(units / UNIT);
  const fraction = units - whole * UNIT;
  let scale = fraction === 0 ? 0 : SCALE;
  for (let rest = fraction; rest !== 0 && rest % 10 === 0; rest /= 10) scale--;
  const groups = Math.ceil(scale / 4);
  out.u32(8 + (1 + groups) * 2);
  out.u16(1 + groups);
  out.u16(0);
  out.u16(0);
  out.u16(scale);
  out.u16(whole);
  if (groups > 0) out.u16(Math.floor(fraction / 1e8));
  if (groups > 1) out.u16(Math.floor(fraction / 1e4) % 1e4);
  if (groups > 2) out.u16(fraction % 1e4);
  return true;
}

/** A finite double by its shortest decimal text, in groups of four digits around the decimal point. */
function toBase10000(value: number): { negative: boolean; digits: number[]; weight: number; scale: number } {
  const [mantissa = "0", exponentText = "0"] = Math.abs(value).toString().split("e");
  const exponent = Number(exponentText);
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const plainWhole =
    exponent >= 0 ? whole + fraction.slice(0, exponent).padEnd(exponent, "0") : whole.slice(0, Math.max(0, whole.length + exponent));
  const plainFraction =
    exponent >= 0 ? fraction.slice(exponent) : whole.slice(Math.max(0, whole.length + exponent)).padStart(-exponent, "0") + fraction;
  const left = plainWhole.padStart(Math.ceil(plainWhole.length / 4) * 4, "0");
  const right = plainFraction.padEnd(Math.ceil(plainFraction.length / 4) * 4, "0");
  const digits = (left + right).match(/\d{4}/g)?.map(Number) ?? [];
  return { negative: value < 0, digits, weight: left.length / 4 - 1, scale: plainFraction.length };
}

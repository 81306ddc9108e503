/** What a text is when it is read as an integer; `lo` and `hi` of the reader hold the value, or the whole part of a fraction. */
export type IntegerReading = "integer" | "fraction" | "too large" | "no number";

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/;
const SPECIAL_DOUBLES: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const TWO_32 = 4294967296;
const MAX_UINT64 = (1n << 64n) - 1n;
/** Digits of the largest uint64. */
const MAX_DIGITS = 20;

/**
 * Reads decimal numbers from text bytes exactly: integers never pass through a double, doubles are rounded once, correctly.
 * Signs, leading zeros, fractions and exponents are allowed everywhere; white space and hexadecimal nowhere.
 */
export class NumberReader {
  /** Halves of the last integer's absolute value, unsigned. */
  lo = 0;
  hi = 0;
  negative = false;

  /** Reads an integer of at most 64 bits and any sign. */
  integer(bytes: Buffer, start: number, end: number): IntegerReading {
    this.negative = bytes[start] === 0x2d;
    const from = this.negative ? start + 1 : start;
    const size = end - from;
    if (size < 1 || size >= MAX_DIGITS) return this.unusualInteger(bytes.toString("latin1", start, end));
    const middle = size > 9 ? end - 9 : from;
    let head = 0;
    for (let i = from; i < middle; i++) {
      const digit = bytes[i] - 0x30;
      if (digit < 0 || digit > 9) return this.unusualInteger(bytes.toString("latin1", start, end));
      head = head * 10 + digit;
    }
    let tail = 0;
    for (let i = middle; i < end; i++) {
      const digit = bytes[i] - 0x30;
      if (digit < 0 || digit > 9) return this.unusualInteger(bytes.toString("latin1", start, end));
      tail = tail * 10 + digit;
    }
    this.combine(head, tail);
    return "integer";
  }

  /** A double, or undefined for text that is no number. */
  double(bytes: Buffer, start: number, end: number): number | undefined {
    const short = shortDecimal(bytes, start, end);
    if (short !== undefined) return short;
    const text = bytes.toString("latin1", start, end);
    const special = Object.hasOwn(SPECIAL_DOUBLES, text) ? SPECIAL_DOUBLES[text] : undefined;
    if (special !== undefined) return special;
    return isDecimal(text) ? Number(text) : undefined;
  }

  /** head * 10^9 + tail, for a head below 10^11, in two halves without leaving the exact range of a double. */
  private combine(head: number, tail: number): void {
    const low16 = head % 65536;
    const high = ((head - low16) / 65536) * 1e9;
    const rest = (high % 65536) * 65536 + low16 * 1e9 + tail;
    this.lo = rest % TWO_32;
    this.hi = Math.floor(high / 65536) + Math.floor(rest / TWO_32);
  }

  private unusualInteger(text: string): IntegerReading {
    const match = isDecimal(text) ? DECIMAL.exec(text) : null;
    if (match === null) return "no number";
    const [, sign, whole = "", fraction = "", exponent = "0"] = match;
    this.negative = sign === "-";
    const digits = trimmed(whole + fraction);
    const point = whole.length - digits.skipped + Number(exponent);
    if (digits.text === "" || point <= 0) this.set(0n);
    else if (point > MAX_DIGITS) return "too large";
    else {
      const value = BigInt(digits.text.slice(0, point).padEnd(point, "0"));
      if (value > MAX_UINT64) return "too large";
      this.set(value);
    }
    return digits.text.length > Math.max(point, 0) ? "fraction" : "integer";
  }

  private set(value: bigint): void {
    this.lo = Number(value & 0xffffffffn);
    this.hi = Number(value >> 32n);
  }
}

/** A decimal with at least one digit in front of or behind the point. */
const isDecimal = (text: string): boolean => DECIMAL.test(text) && /^[-+]?\.?\d/.test(text);

/** Digits without zeros in front and behind; `skipped` counts those in front. */
function trimmed(digits: string): { text: string; skipped: number } {
  let start = 0;
  let end = digits.length;
  while (start < end && digits[start] === "0") start++;
  while (end > start && digits[end - 1] === "0") end--;
  return { text: digits.slice(start, end), skipped: start };
}

/** A plain decimal of at most 15 digits: mantissa and power of ten are exact then, so one division rounds correctly. */
function shortDecimal(bytes: Buffer, start: number, end: number): number | undefined {
  const negative = bytes[start] === 0x2d;
  const from = negative ? start + 1 : start;
  if (end - from > 16 || end === from) return undefined;
  let mantissa = 0;
  let digits = 0;
  let pointAt = -1;
  for (let i = from; i < end; i++) {
    const digit = bytes[i] - 0x30;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
    } else if (bytes[i] === 0x2e && pointAt < 0) pointAt = i;
    else return undefined;
  }
  if (digits === 0 || digits > 15) return undefined;
  const value = pointAt < 0 ? mantissa : mantissa / POWERS_OF_TEN[end - pointAt - 1];
  return negative ? -value : value;
}

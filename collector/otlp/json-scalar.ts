import type { ByteWriter } from "../base/byte-writer.ts";
import { DecodeError } from "./decode-error.ts";
import { appendBase64, appendId } from "./json-bytes.ts";
import { NumberReader } from "./json-number.ts";
import { CLOSE_OBJECT, COLON, COMMA, type JsonTokenizer, OPEN_OBJECT, QUOTE } from "./json-tokenizer.ts";
import { ANY_VALUE, DOUBLE_VALUE_TAG, type Field, STRING_VALUE_TAG } from "./otlp-schema.ts";
import { closePrefix, writeDouble, writeFixed32, writeVarint32, writeVarint64 } from "./proto-writer.ts";
import { writeSentMark } from "./sent-marks.ts";

const MAX_INT32 = 0x7fffffff;
const BOOLEANS: ReadonlyMap<string, number> = new Map([
  ["true", 1],
  ["1", 1],
  ["false", 0],
  ["0", 0],
]);
const STRING_VALUE = ANY_VALUE.named("stringValue").field;
const NO_TEXT = new Uint8Array(0);
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/**
 * Writes scalar fields. What does not fit its field is kept where a place for it exists: an attribute value that is no number stays as the text it is,
 * an integer beyond int64 becomes a double. A time or a count that is no number is left out, as if it had not been sent. A mark says so in each case
 * (sent-marks.ts); other forms of the same value, such as an integer as text or an enum's name, need none.
 */
export class ScalarTranscoder {
  private readonly json: JsonTokenizer;
  private readonly numbers = new NumberReader();

  constructor(json: JsonTokenizer) {
    this.json = json;
  }

  /** Reads the next value, which is a string, a number, true or false, and appends it as `field`. */
  transcode(field: Field, out: ByteWriter): void {
    if (field.kind === "string") {
      this.string(field, out);
      return;
    }
    const type = this.json.scalar();
    switch (field.kind) {
      case "int64":
        this.int64(field, out);
        break;
      case "fixed64":
        this.fixed64(field, out);
        break;
      case "double":
        this.double(field, out);
        break;
      case "bool":
        this.bool(field, out, type === "true" || type === "false");
        break;
      case "traceId":
      case "spanId":
        this.id(field, out);
        break;
      case "bytes":
        this.bytes(field, out, type === "string");
        break;
      case "enum":
        this.enumeration(field, out);
        break;
      default:
        this.uint32(field, out);
    }
  }

  /**
   * A 64-bit integer as an object `{low, high, unsigned}` of 32-bit halves, which clients write whose protobuf library has integers of its own
   * (dialect-traps 16). False where it is another object.
   */
  halves(field: Field, out: ByteWriter): boolean {
    const { json } = this;
    const found = new Map<string, number>();
    json.expect(OPEN_OBJECT);
    while (json.peek() !== CLOSE_OBJECT) {
      json.key();
      const name = this.shortText();
      json.expect(COLON);
      if (name === "low" || name === "high") found.set(name, this.half());
      else json.skipValue();
      if (json.peek() !== CLOSE_OBJECT) json.expect(COMMA);
    }
    json.expect(CLOSE_OBJECT);
    const [low, high] = [found.get("low"), found.get("high")];
    if (low === undefined || high === undefined) return false;
    writeVarint32(out, field.tag);
    if (field.kind === "int64") writeVarint64(out, low, high);
    else {
      writeFixed32(out, low);
      writeFixed32(out, high);
    }
    return true;
  }

  /** 32 bits, signed or not. */
  private half(): number {
    this.json.scalar();
    const reading = this.readInteger();
    const { lo, hi, negative } = this.numbers;
    if (reading !== "integer" || hi !== 0) throw this.json.fail("expected 32 bits of an integer");
    return negative ? -lo : lo;
  }

  /** A string; of a number or a boolean, its text. */
  string(field: Field, out: ByteWriter): void {
    const { json } = this;
    const isString = json.peek() === QUOTE;
    if (!isString) {
      json.scalar();
      this.text(field.tag, out);
      if (field === STRING_VALUE) this.misfit(field, out);
      return;
    }
    writeVarint32(out, field.tag);
    const prefixAt = out.length++;
    json.copyString(out);
    closePrefix(out, prefixAt, 1);
  }

  /** The scalar's text as a string field. */
  private text(tag: number, out: ByteWriter): void {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    writeVarint32(out, tag);
    writeVarint32(out, scalarEnd - scalarStart);
    out.bytes(scalarBytes, scalarStart, scalarEnd);
  }

  /** Says what was sent for a field that is left out or was read in another way. */
  private mark(field: Field, out: ByteWriter): void {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    writeSentMark(out, field.tag, scalarBytes.subarray(scalarStart, scalarEnd));
  }

  /** Says that a value did not fit its member; what was sent is the value. */
  private misfit(field: Field, out: ByteWriter): void {
    writeSentMark(out, field.tag, NO_TEXT);
  }

  private readInteger() {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    return this.numbers.integer(scalarBytes, scalarStart, scalarEnd);
  }

  private int64(field: Field, out: ByteWriter): void {
    const reading = this.readInteger();
    const { lo, hi, negative } = this.numbers;
    const fits = reading === "integer" && (hi <= MAX_INT32 || (negative && hi === MAX_INT32 + 1 && lo === 0));
    if (!fits) {
      this.double(field, out);
      return;
    }
    writeVarint32(out, field.tag);
    if (!negative) writeVarint64(out, lo, hi);
    else writeVarint64(out, -lo, lo === 0 ? -hi : ~hi);
  }

  /** The value of a doubleValue, or of an intValue that int64 cannot hold. */
  private double(field: Field, out: ByteWriter): void {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    const value = this.numbers.double(scalarBytes, scalarStart, scalarEnd);
    if (value === undefined) this.text(STRING_VALUE_TAG, out);
    else {
      writeVarint32(out, DOUBLE_VALUE_TAG);
      writeDouble(out, value);
    }
    if (value === undefined || field.kind !== "double") this.misfit(field, out);
  }

  private bool(field: Field, out: ByteWriter, isBoolean: boolean): void {
    const value = BOOLEANS.get(this.shortText());
    if (value === undefined) this.text(STRING_VALUE_TAG, out);
    else {
      writeVarint32(out, field.tag);
      writeVarint32(out, value);
    }
    if (!isBoolean) this.misfit(field, out);
  }

  private bytes(field: Field, out: ByteWriter, isString: boolean): void {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    const before = out.length;
    writeVarint32(out, field.tag);
    const prefixAt = out.length++;
    if (isString && appendBase64(out, scalarBytes, scalarStart, scalarEnd)) {
      closePrefix(out, prefixAt, 1);
      return;
    }
    out.length = before;
    this.text(STRING_VALUE_TAG, out);
    this.misfit(field, out);
  }

  private id(field: Field, out: ByteWriter): void {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    writeVarint32(out, field.tag);
    const prefixAt = out.length++;
    const source = { bytes: scalarBytes, start: scalarStart, end: scalarEnd };
    const wasBase64 = appendId(out, source, field.kind === "traceId" ? TRACE_ID_BYTES : SPAN_ID_BYTES);
    closePrefix(out, prefixAt, 1);
    if (wasBase64) this.mark(field, out);
  }

  /** Nanoseconds since 1970: a fraction of one is dropped, a time outside uint64 counts as not sent. */
  private fixed64(field: Field, out: ByteWriter): void {
    const reading = this.readInteger();
    const { lo, hi, negative } = this.numbers;
    const unusable = reading === "no number" || reading === "too large" || (negative && (lo | hi) !== 0);
    if (!unusable) {
      writeVarint32(out, field.tag);
      writeFixed32(out, lo);
      writeFixed32(out, hi);
    }
    if (reading !== "integer" || unusable) this.mark(field, out);
  }

  /** A count or flags: what is no integer of 32 bits counts as not sent. */
  private uint32(field: Field, out: ByteWriter): void {
    const reading = this.readInteger();
    const { lo, hi, negative } = this.numbers;
    if (reading !== "integer" || hi !== 0 || (negative && lo !== 0)) {
      this.mark(field, out);
      return;
    }
    writeVarint32(out, field.tag);
    if (field.kind === "fixed32") writeFixed32(out, lo);
    else writeVarint32(out, lo);
  }

  /** An enum's number, or (against otlp-rules J4, but senders do it) its name with or without prefix in any case. */
  private enumeration(field: Field, out: ByteWriter): void {
    const reading = this.readInteger();
    let { lo, hi, negative } = this.numbers;
    if (reading !== "integer" || hi !== 0 || lo > MAX_INT32) {
      const type = field.enumeration;
      const name = this.shortText().toUpperCase();
      const number = type?.numbers.get(name.startsWith(type.prefix) ? name.slice(type.prefix.length) : name);
      if (number === undefined) throw new DecodeError(`${field.name} must be a number, such as ${type?.prefix}… stands for`);
      lo = number;
      negative = false;
    }
    writeVarint32(out, field.tag);
    if (negative && lo !== 0) writeVarint64(out, -lo, -1);
    else writeVarint32(out, lo);
  }

  /** The scalar as a string; of a long one only the beginning, which is enough to tell that it is no name. */
  private shortText(): string {
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    return scalarBytes.toString("latin1", scalarStart, Math.min(scalarEnd, scalarStart + 64));
  }
}

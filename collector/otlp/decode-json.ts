import { ByteWriter } from "../base/byte-writer.ts";
import type { Signal } from "../base/signal.ts";
import { DecodeError } from "./decode-error.ts";
import { appendBase64, appendId } from "./json-bytes.ts";
import { NumberReader } from "./json-number.ts";
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, JsonTokenizer, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from "./json-tokenizer.ts";
import { ANY_VALUE, DOUBLE_VALUE_TAG, type Field, type MessageType, REQUESTS } from "./otlp-schema.ts";
import { closePrefix, WIDE_PREFIX, writeDouble, writeFixed32, writeVarint32, writeVarint64 } from "./proto-writer.ts";

/** Values nested deeper arrive empty; storage cuts them earlier still, and says so there (MAX_VALUE_DEPTH). */
const MAX_DEPTH = 200;

/** The shortest JSON for a message, `{},`, becomes a tag and a wide prefix: never more than twice its size. */
const GROWTH = 2;
const SLACK_BYTES = 64;

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const MAX_UINT32 = 0xffff_ffff;
const INT64_SIGN = 0x8000_0000;

/**
 * Rewrites an OTLP/JSON request as the same request in protobuf, in one pass over the bytes: what follows reads one encoding only.
 * Lenient where senders differ (otlp-rules J1–J21): unknown fields are skipped, null is absent, numbers may be strings, snake_case names
 * and enum names are understood, ids may be base64. A number that does not fit is left out, an int64 that is none becomes a double.
 * Of a repeated key the last value counts; repeated lists and messages are joined, as in protobuf. Throws DecodeError for anything that
 * is no JSON object of this shape.
 */
export function transcodeJson(body: Buffer, signal: Signal): Buffer {
  const out = new ByteWriter(body.length * GROWTH + SLACK_BYTES);
  const { type } = REQUESTS[signal];
  const { tokenizer } = transcoder;
  tokenizer.reset(body);
  try {
    if (tokenizer.peek() === -1) throw new DecodeError("the body is empty: send a JSON object, {} for an empty request");
    if (tokenizer.peek() !== OPEN_OBJECT) throw new DecodeError("the body must be one JSON object");
    transcoder.message(out, type, 0);
    tokenizer.expectEnd();
    return out.view();
  } finally {
    tokenizer.release();
  }
}

/** Kinds that begin with a string in every accepted form. */
const TEXT_KINDS: ReadonlySet<string> = new Set(["string", "bytes", "traceId", "spanId"]);

class Transcoder {
  readonly tokenizer = new JsonTokenizer();
  private readonly numbers = new NumberReader();

  /** Reads an object, whose brace comes next, and appends its fields. */
  message(out: ByteWriter, type: MessageType, depth: number): void {
    const { tokenizer } = this;
    tokenizer.expect(OPEN_OBJECT);
    if (tokenizer.peek() === CLOSE_OBJECT) {
      tokenizer.pos++;
      return;
    }
    for (;;) {
      tokenizer.key();
      const field = type.find(tokenizer.scalarBytes, tokenizer.scalarStart, tokenizer.scalarEnd);
      tokenizer.expect(0x3a);
      if (field === undefined) tokenizer.skipValue();
      else if (!tokenizer.takeNull()) this.field(out, field, depth);
      if (tokenizer.peek() === CLOSE_OBJECT) break;
      tokenizer.expect(COMMA);
    }
    tokenizer.pos++;
  }

  private field(out: ByteWriter, field: Field, depth: number): void {
    if (!field.repeated) {
      this.single(out, field, depth);
      return;
    }
    const { tokenizer } = this;
    if (tokenizer.peek() !== OPEN_ARRAY) throw tokenizer.fail(`${field.name} must be a list${listHint(field)}`);
    tokenizer.pos++;
    if (tokenizer.peek() === CLOSE_ARRAY) {
      tokenizer.pos++;
      return;
    }
    for (;;) {
      if (tokenizer.takeNull()) this.emptyMessage(out, field);
      else this.single(out, field, depth);
      if (tokenizer.peek() === CLOSE_ARRAY) break;
      tokenizer.expect(COMMA);
    }
    tokenizer.pos++;
  }

  private single(out: ByteWriter, field: Field, depth: number): void {
    if (field.message !== undefined) this.nested(out, field, field.message, depth);
    else if (TEXT_KINDS.has(field.kind)) this.text(out, field);
    else this.scalar(out, field);
  }

  /** A list element that is null still has its place (an unset value in an array). */
  private emptyMessage(out: ByteWriter, field: Field): void {
    writeVarint32(out, field.tag);
    writeVarint32(out, 0);
  }

  private nested(out: ByteWriter, field: Field, type: MessageType, depth: number): void {
    const { tokenizer } = this;
    if (tokenizer.peek() !== OPEN_OBJECT) {
      const hint = type === ANY_VALUE ? ', such as {"stringValue": "…"}' : "";
      throw tokenizer.fail(`${field.name} must hold objects${hint}`);
    }
    const inner = type === ANY_VALUE ? depth + 1 : depth;
    if (inner > MAX_DEPTH) {
      tokenizer.skipValue();
      this.emptyMessage(out, field);
      return;
    }
    writeVarint32(out, field.tag);
    const width = type.large ? WIDE_PREFIX : 1;
    const at = out.length;
    out.length += width;
    this.message(out, type, inner);
    closePrefix(out, at, width);
  }

  private text(out: ByteWriter, field: Field): void {
    const { tokenizer } = this;
    if (tokenizer.peek() !== QUOTE) throw tokenizer.fail(`${field.name} must be a string`);
    const begin = out.length;
    writeVarint32(out, field.tag);
    const at = out.length;
    out.length++;
    if (field.kind === "string") tokenizer.copyString(out);
    else if (!this.encodedBytes(out, field)) {
      out.length = begin;
      return;
    }
    closePrefix(out, at, 1);
  }

  /** Bytes that the text stands for; false where it is no base64. */
  private encodedBytes(out: ByteWriter, field: Field): boolean {
    const { tokenizer } = this;
    tokenizer.scalar();
    const { scalarBytes: bytes, scalarStart: start, scalarEnd: end } = tokenizer;
    if (field.kind === "bytes") return appendBase64(out, bytes, start, end);
    appendId(out, { bytes, start, end }, field.kind === "traceId" ? TRACE_ID_BYTES : SPAN_ID_BYTES);
    return true;
  }

  private scalar(out: ByteWriter, field: Field): void {
    const { tokenizer } = this;
    const first = tokenizer.peek();
    if (first === OPEN_OBJECT || first === OPEN_ARRAY)
      throw tokenizer.fail(`${field.name} must be a ${field.kind === "bool" ? "boolean" : "number"}`);
    const type = tokenizer.scalar();
    if (field.kind === "bool") {
      if (type !== "true" && type !== "false") throw tokenizer.fail(`${field.name} must be true or false`);
      writeVarint32(out, field.tag);
      writeVarint32(out, type === "true" ? 1 : 0);
      return;
    }
    if (type === "true" || type === "false") throw tokenizer.fail(`${field.name} must be a number`);
    this.number(out, field);
  }

  private number(out: ByteWriter, field: Field): void {
    switch (field.kind) {
      case "int64":
        this.int64(out, field);
        break;
      case "double":
        this.double(out, field.tag);
        break;
      case "fixed64":
        this.fixed64(out, field);
        break;
      case "enum":
        this.enumeration(out, field);
        break;
      default:
        this.uint32(out, field);
    }
  }

  /** An integer that int64 holds; another number is kept as a double, text that is no number as an empty value. */
  private int64(out: ByteWriter, field: Field): void {
    const { numbers, tokenizer } = this;
    const reading = numbers.integer(tokenizer.scalarBytes, tokenizer.scalarStart, tokenizer.scalarEnd);
    const { lo, hi, negative } = numbers;
    const fits = hi < INT64_SIGN || (negative && hi === INT64_SIGN && lo === 0);
    if (reading !== "integer" || !fits) {
      this.double(out, DOUBLE_VALUE_TAG);
      return;
    }
    writeVarint32(out, field.tag);
    if (negative) writeVarint64(out, -lo | 0, lo === 0 ? -hi | 0 : ~hi);
    else writeVarint64(out, lo, hi);
  }

  private double(out: ByteWriter, tag: number): void {
    const { tokenizer } = this;
    const value = this.numbers.double(tokenizer.scalarBytes, tokenizer.scalarStart, tokenizer.scalarEnd);
    if (value === undefined) return;
    writeVarint32(out, tag);
    writeDouble(out, value);
  }

  /** Unix nanoseconds: a negative time, or one beyond 64 bits, is no time and left out. */
  private fixed64(out: ByteWriter, field: Field): void {
    const { numbers, tokenizer } = this;
    const reading = numbers.integer(tokenizer.scalarBytes, tokenizer.scalarStart, tokenizer.scalarEnd);
    if (numbers.negative || (reading !== "integer" && reading !== "fraction")) return;
    writeVarint32(out, field.tag);
    writeFixed32(out, numbers.lo);
    writeFixed32(out, numbers.hi);
  }

  private uint32(out: ByteWriter, field: Field): void {
    const { numbers, tokenizer } = this;
    const reading = numbers.integer(tokenizer.scalarBytes, tokenizer.scalarStart, tokenizer.scalarEnd);
    if (numbers.negative || reading !== "integer") return;
    const value = numbers.hi === 0 ? numbers.lo : MAX_UINT32;
    writeVarint32(out, field.tag);
    if (field.kind === "fixed32") writeFixed32(out, value);
    else writeVarint32(out, value);
  }

  /** A number, or a name with or without its prefix; an unknown name is refused, since storing it as 0 would be a silent lie. */
  private enumeration(out: ByteWriter, field: Field): void {
    const { numbers, tokenizer } = this;
    const { scalarBytes: bytes, scalarStart: start, scalarEnd: end } = tokenizer;
    const reading = numbers.integer(bytes, start, end);
    if (reading === "integer" && numbers.hi === 0) {
      writeVarint32(out, field.tag);
      if (numbers.negative) writeVarint64(out, -numbers.lo | 0, -1);
      else writeVarint32(out, numbers.lo);
      return;
    }
    const { prefix = "", numbers: byName } = field.enumeration ?? {};
    const name = bytes.toString("latin1", start, end);
    const value = byName?.get(name.startsWith(prefix) ? name.slice(prefix.length) : name);
    if (value === undefined) throw tokenizer.fail(`${field.name} must be one of its numbers`);
    writeVarint32(out, field.tag);
    writeVarint32(out, value);
  }
}

/** Nothing of one body is kept for the next, and a body is read without giving way: one is enough. */
const transcoder = new Transcoder();

const listHint = (field: Field): string => (field.name === "attributes" ? ' of {"key": "…", "value": {"stringValue": "…"}}' : "");

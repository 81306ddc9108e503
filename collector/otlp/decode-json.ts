import { sharedBuffers } from "../base/buffer-pool.ts";
import { ByteWriter } from "../base/byte-writer.ts";
import type { Signal } from "../base/signal.ts";
import { DecodeError } from "./decode-error.ts";
import { ScalarTranscoder } from "./json-scalar.ts";
import { CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, JsonTokenizer, LOWER_N, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from "./json-tokenizer.ts";
import { ANY_VALUE, type Field, type FieldName, KEY_VALUE, type MessageType, REQUESTS } from "./otlp-schema.ts";
import { closePrefix, WIDE_PREFIX, writeVarint32 } from "./proto-writer.ts";

/** Attribute values nested deeper than this become empty; the rows cut far above (MAX_VALUE_DEPTH). */
export const MAX_JSON_VALUE_DEPTH = 200;

/** Open brackets: seven around an attribute's value, at most four for each level of values, and room to spare. */
const MAX_FRAMES = 4 * MAX_JSON_VALUE_DEPTH + 32;

/** The largest growth is that of `{},` in an array, three bytes, to a tag and a wide prefix: six. */
const GROWTH = 2;
const SLACK_BYTES = 64;

/** Positions in the output are held in 31 bits. */
const MAX_BODY_BYTES = 2 ** 30 - SLACK_BYTES;

/** Source bytes between two looks of `transcodeJsonInSteps` at its caller: a few milliseconds. */
const STEP_BYTES = 2 * 1024 * 1024;

const NOTHING = new ByteWriter(0);
const KEY = KEY_VALUE.named("key");
const VALUE = KEY_VALUE.named("value");
const SCALAR_VALUES = ["stringValue", "intValue", "boolValue", "doubleValue"].map((name) => ANY_VALUE.named(name));
const OPENING = Buffer.from("{");
const BETWEEN = Buffer.concat([Buffer.from(","), VALUE.member, OPENING]);
const CLOSING = Buffer.from("}}");

/**
 * Turns OTLP/JSON into OTLP protobuf, so that everything behind it reads one encoding only. Bytes in, bytes out: no JSON.parse, no object per span, no
 * recursion, and memory of at most twice the body. What it accepts beyond the specification: docs/decisions/0002-json-becomes-protobuf.md.
 */
class JsonTranscoder {
  private readonly json = new JsonTokenizer();
  private readonly scalars = new ScalarTranscoder(this.json);
  private out = NOTHING;
  private depth = 0;
  /** Nothing has been read yet inside the innermost bracket. */
  private fresh = false;
  /** AnyValues that are open. */
  private values = 0;
  /** Per open bracket: the message of an object, the repeated field of an array, the last name read, where the length prefix is and how wide. */
  private readonly messages: MessageType[] = [];
  private readonly arrays: (Field | undefined)[] = [];
  private readonly names: (FieldName | undefined)[] = [];
  private readonly prefixAt = new Int32Array(MAX_FRAMES);
  private readonly prefixWidth = new Uint8Array(MAX_FRAMES);
  private request = REQUESTS.traces;
  private sawOwnField = false;
  private sawOtherSignal: Signal | undefined;

  /** Begins a body. */
  begin(body: Buffer, signal: Signal): void {
    if (body.length > MAX_BODY_BYTES) throw new DecodeError("the JSON body is too large to be read");
    this.json.reset(body);
    this.out = new ByteWriter(sharedBuffers.take(body.length * GROWTH + SLACK_BYTES));
    this.request = REQUESTS[signal];
    this.sawOwnField = false;
    this.sawOtherSignal = undefined;
    this.values = 0;
    if (this.json.peek() !== OPEN_OBJECT) {
      throw new DecodeError(this.json.pos === body.length ? "the JSON body is empty" : "the JSON body must be an object");
    }
    this.json.pos++;
    this.depth = 0;
    this.push(this.request.type, undefined);
  }

  /** Reads on until the source position `stopAt` is passed; true when the body is finished. */
  run(stopAt: number): boolean {
    const { json } = this;
    while (this.depth > 0) {
      if (json.pos > stopAt) return false;
      const array = this.arrays[this.depth - 1];
      if (array === undefined) this.member();
      else this.element(array);
    }
    json.expectEnd();
    this.refuseOtherSignal();
    return true;
  }

  /** The protobuf bytes, and an end to what was held for them. */
  finish(): Buffer {
    const { out } = this;
    this.release();
    return out.view();
  }

  release(): void {
    this.out = NOTHING;
    this.json.release();
  }

  /** A member of an object, or its end. */
  private member(): void {
    const { json } = this;
    let byte = json.peek();
    if (byte === CLOSE_OBJECT) {
      json.pos++;
      this.closeObject();
      return;
    }
    if (!this.fresh) {
      if (byte !== COMMA) throw json.fail("expected , or }");
      json.pos++;
    }
    this.fresh = false;
    const field = this.name();
    byte = json.peek();
    if (field === undefined) json.skipValue();
    else if (byte === LOWER_N) json.takeNull();
    else if (!field.repeated) this.value(field, byte);
    else {
      if (byte !== OPEN_ARRAY) throw wrongShape(field, "an array", byte);
      json.pos++;
      this.push(this.messages[this.depth - 1], field);
    }
  }

  /** Reads a member's name and colon. */
  private name(): Field | undefined {
    const { json } = this;
    const frame = this.depth - 1;
    const message = this.messages[frame];
    const previous = this.names[frame];
    const guess = previous === undefined ? message.first : previous.follower;
    if (guess !== undefined && json.takeBytes(guess.member)) {
      this.names[frame] = guess;
      if (frame === 0) this.sawOwnField = true;
      return guess.field;
    }
    json.key();
    const found = message.find(json.scalarBytes, json.scalarStart, json.scalarEnd);
    if (frame === 0) this.noteRootField(found !== undefined);
    json.expect(COLON);
    if (found === undefined) return undefined;
    if (previous === undefined) message.first = found;
    else previous.follower = found;
    this.names[frame] = found;
    return found.field;
  }

  /** An element of an array, or its end. A null stands for an empty message. */
  private element(field: Field): void {
    const { json } = this;
    let byte = json.peek();
    if (byte === CLOSE_ARRAY && this.fresh) {
      this.closeArray();
      return;
    }
    if (!this.fresh) {
      if (byte === CLOSE_ARRAY) {
        this.closeArray();
        return;
      }
      if (byte !== COMMA) throw json.fail("expected , or ]");
      json.pos++;
      byte = json.peek();
    }
    this.fresh = false;
    if (byte === LOWER_N) {
      json.takeNull();
      this.emptyMessage(field);
    } else if (this.values > 0 || field.message !== KEY_VALUE || !this.plainAttribute(field)) this.value(field, byte);
  }

  /**
   * A shortcut for the attribute that every SDK writes, `{"key":"…","value":{"stringValue":"…"}}` without white space and with one scalar.
   * False, and nothing read or written, where it looks otherwise.
   */
  private plainAttribute(field: Field): boolean {
    const { json, out } = this;
    const from = json.pos;
    const before = out.length;
    if (json.takeBytes(OPENING) && json.takeBytes(KEY.member) && json.peek() === QUOTE) {
      writeVarint32(out, field.tag);
      const attributeAt = out.length++;
      this.scalars.string(KEY.field, out);
      const scalar = json.takeBytes(BETWEEN) ? this.scalarMember() : undefined;
      if (scalar !== undefined) {
        writeVarint32(out, VALUE.field.tag);
        const valueAt = out.length++;
        this.scalars.transcode(scalar, out);
        if (json.takeBytes(CLOSING)) {
          closePrefix(out, valueAt, 1);
          closePrefix(out, attributeAt, 1);
          return true;
        }
      }
    }
    json.pos = from;
    out.length = before;
    return false;
  }

  /** Reads the name of a scalar AnyValue that is not null. */
  private scalarMember(): Field | undefined {
    for (const { field, member } of SCALAR_VALUES) {
      if (!this.json.takeBytes(member)) continue;
      const byte = this.json.peek();
      return byte === LOWER_N || byte === OPEN_OBJECT || byte === OPEN_ARRAY ? undefined : field;
    }
    return undefined;
  }

  /** A value that is not null; `byte` is its first. */
  private value(field: Field, byte: number): void {
    const { message } = field;
    if (message === undefined) {
      const inHalves = byte === OPEN_OBJECT && (field.kind === "int64" || field.kind === "fixed64");
      if (inHalves && this.scalars.halves(field, this.out)) return;
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) throw wrongShape(field, "a single value", byte);
      this.scalars.transcode(field, this.out);
      return;
    }
    if (byte !== OPEN_OBJECT) throw wrongShape(field, "an object", byte);
    if (message === ANY_VALUE && this.values === MAX_JSON_VALUE_DEPTH) {
      this.json.skipValue();
      this.emptyMessage(field);
      return;
    }
    this.json.pos++;
    this.openObject(field, message);
  }

  private openObject(field: Field, message: MessageType): void {
    const { out } = this;
    if (message === ANY_VALUE) this.values++;
    const width = message.large || this.values > 1 ? WIDE_PREFIX : 1;
    writeVarint32(out, field.tag);
    this.prefixAt[this.depth] = out.length;
    this.prefixWidth[this.depth] = width;
    out.length += width;
    this.push(message, undefined);
  }

  private closeObject(): void {
    this.depth--;
    this.fresh = false;
    if (this.depth === 0) return;
    if (this.messages[this.depth] === ANY_VALUE) this.values--;
    closePrefix(this.out, this.prefixAt[this.depth], this.prefixWidth[this.depth]);
  }

  private closeArray(): void {
    this.json.pos++;
    this.depth--;
    this.fresh = false;
  }

  private push(message: MessageType, array: Field | undefined): void {
    this.messages[this.depth] = message;
    this.arrays[this.depth] = array;
    this.names[this.depth] = undefined;
    this.depth++;
    this.fresh = true;
  }

  private emptyMessage(field: Field): void {
    writeVarint32(this.out, field.tag);
    writeVarint32(this.out, 0);
  }

  /** Unknown fields are ignored, but a whole body of another signal would vanish silently (reliability case IDS-08). */
  private noteRootField(known: boolean): void {
    if (known) {
      this.sawOwnField = true;
      return;
    }
    const { scalarBytes, scalarStart, scalarEnd } = this.json;
    for (const signal of ["traces", "logs", "metrics"] as const) {
      if (REQUESTS[signal].type.find(scalarBytes, scalarStart, scalarEnd) !== undefined) this.sawOtherSignal = signal;
    }
  }

  private refuseOtherSignal(): void {
    const other = this.sawOtherSignal;
    if (this.sawOwnField || other === undefined) return;
    throw new DecodeError(`this looks like ${other}: send it to /v1/${other}; expected ${this.request.field}`);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  attributes: ' such as [{"key": "a", "value": {"stringValue": "b"}}]',
  value: ' such as {"stringValue": "b"}',
};

function wrongShape(field: Field, wanted: string, byte: number): DecodeError {
  return new DecodeError(`${field.name} must hold ${wanted}${HINTS[field.name] ?? ""}, not ${shapeOf(byte)}`);
}

function shapeOf(byte: number): string {
  if (byte === OPEN_OBJECT) return "an object";
  if (byte === OPEN_ARRAY) return "an array";
  return byte === QUOTE ? "a string" : "a number or a boolean";
}

let idle: JsonTranscoder | undefined = new JsonTranscoder();

/**
 * Turns an OTLP/JSON export request into the protobuf of the same request. Length prefixes may be padded, ids keep wrong lengths (the span is
 * refused later, with a reason), and of metrics only the number of data points remains.
 * Throws DecodeError when the body is not JSON or not shaped like a request of this signal.
 */
export function transcodeJson(body: Buffer, signal: Signal): Buffer {
  const transcoder = idle ?? new JsonTranscoder();
  idle = undefined;
  try {
    transcoder.begin(body, signal);
    transcoder.run(body.length);
    return transcoder.finish();
  } finally {
    transcoder.release();
    idle = transcoder;
  }
}

/** As `transcodeJson`, for large bodies: yields every few milliseconds, so that other requests can be served in between. */
export function* transcodeJsonInSteps(body: Buffer, signal: Signal): Generator<void, Buffer> {
  const transcoder = new JsonTranscoder();
  transcoder.begin(body, signal);
  for (let stopAt = STEP_BYTES; !transcoder.run(stopAt); stopAt += STEP_BYTES) yield;
  return transcoder.finish();
}

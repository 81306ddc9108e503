import { DecodeError } from "./decode-error.ts";

/** Protobuf wire types (protobuf.dev, "Encoding"); 3 and 4 are groups, which OTLP never uses. */
export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
const WIRE_GROUP_START = 3;
const WIRE_GROUP_END = 4;
export const WIRE_FIXED32 = 5;

const truncated = (): DecodeError => new DecodeError("protobuf message ends in the middle of a field");

/**
 * Reads protobuf primitives from `[pos, end)` of a buffer. Every read stays inside `end` or throws DecodeError; nothing is
 * allocated and nothing recurses, so neither a 4 GB length nor a tower of groups can hurt.
 */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  pos = 0;
  end = 0;
  /** Halves of the last 64-bit read, as signed 32-bit integers. */
  lo = 0;
  hi = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.reset(bytes, 0, bytes.length);
  }

  reset(bytes: Uint8Array, pos: number, end: number): void {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  /** Reads a field's tag: field number << 3 | wire type. */
  tag(): number {
    const tag = this.varint32();
    if (tag >>> 3 === 0) throw new DecodeError("protobuf field number 0");
    return tag;
  }

  /** A varint as an unsigned 32-bit integer; higher bits are dropped, as protobuf asks for uint32, enum and bool fields. */
  varint32(): number {
    const bytes = this.bytes;
    if (this.pos < this.end && bytes[this.pos] < 0x80) return bytes[this.pos++];
    this.varint64();
    return this.lo >>> 0;
  }

  /** A varint into `lo` and `hi`; at most ten bytes long. */
  varint64(): void {
    const { bytes, end } = this;
    let pos = this.pos;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw truncated();
      const byte = bytes[pos++];
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi |= bits >>> 4;
      } else if (shift < 64) hi |= bits << (shift - 32);
      if (byte < 0x80) {
        this.pos = pos;
        this.lo = lo | 0;
        this.hi = hi | 0;
        return;
      }
    }
    throw new DecodeError("protobuf varint longer than ten bytes");
  }

  /** A little-endian 64-bit value into `lo` and `hi`. */
  fixed64(): void {
    this.lo = this.fixed32();
    this.hi = this.fixed32();
  }

  /** A little-endian 32-bit value as a signed integer. */
  fixed32(): number {
    const { bytes, pos } = this;
    if (pos + 4 > this.end) throw truncated();
    this.pos = pos + 4;
    return bytes[pos] | (bytes[pos + 1] << 8) | (bytes[pos + 2] << 16) | (bytes[pos + 3] << 24);
  }

  /** Reads the length of a length-delimited field and returns it; the field is known to lie inside `end`. */
  length(): number {
    const { bytes, pos } = this;
    if (pos < this.end && bytes[pos] < 0x80) {
      this.pos = pos + 1;
      this.lo = bytes[pos];
      this.hi = 0;
    } else this.varint64();
    const size = this.lo >>> 0;
    if (this.hi !== 0 || size > this.end - this.pos) throw truncated();
    return size;
  }

  /** Skips a field whose tag was just read. Groups are skipped by counting, never by recursion. */
  skip(tag: number): void {
    let depth = 0;
    let current = tag;
    for (;;) {
      switch (current & 7) {
        case WIRE_VARINT:
          this.varint64();
          break;
        case WIRE_FIXED64:
          this.advance(8);
          break;
        case WIRE_LENGTH:
          this.advance(this.length());
          break;
        case WIRE_GROUP_START:
          depth++;
          break;
        case WIRE_GROUP_END:
          depth--;
          break;
        case WIRE_FIXED32:
          this.advance(4);
          break;
        default:
          throw new DecodeError("unknown protobuf wire type");
      }
      if (depth < 0) throw new DecodeError("protobuf group ends without a start");
      if (depth === 0) return;
      current = this.tag();
    }
  }

  private advance(size: number): void {
    if (size > this.end - this.pos) throw truncated();
    this.pos += size;
  }
}

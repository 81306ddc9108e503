import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../collector/base/byte-writer.ts";
import { equalsLiteral, literal, viewOf } from "../../../collector/base/bytes-view.ts";

const written = (write: (out: ByteWriter) => void, capacity = 1): string => {
  const out = new ByteWriter(capacity);
  write(out);
  return out.view().toString("latin1");
};

describe("the byte writer", () => {
  it("writes decimal digits of every 32-bit integer as String does", () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(written((out) => out.decimal(value))).toBe(String(value));
      }),
    );
    for (const value of [0, -1, 9, 10, 99, 100, 2147483647, -2147483648, 4294967295]) {
      expect(written((out) => out.decimal(value))).toBe(String(value));
    }
  });

  it("fills decimals up with zeros", () => {
    expect(written((out) => out.decimal(42, 9))).toBe("000000042");
    expect(written((out) => out.decimal(123_456_789, 9))).toBe("123456789");
    expect(written((out) => out.decimal(1_234, 3))).toBe("1234");
  });

  it("keeps what stands before and after a literal or hexadecimal digits of any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = written((out) => {
          out.ascii("<");
          out.literal(literal(bytes));
          out.ascii("|");
          out.hex(bytes, 0, bytes.length);
          out.ascii(">");
        });
        expect(text).toBe(`<${Buffer.from(bytes).toString("latin1")}|${Buffer.from(bytes).toString("hex")}>`);
      }),
    );
  });

  it("writes integers and doubles in network byte order, also where it has just grown", () => {
    const out = new ByteWriter(3);
    out.u16(0xabcd);
    out.u32(0x01020304);
    out.f64(-1.5);
    out.setU32(2, 0xfffffffe);
    expect(out.view().toString("hex")).toBe("abcdfffffffebff8000000000000");
  });
});

describe("literals", () => {
  it("equal exactly their own bytes, wherever those stand", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }), fc.nat(5), (known, other, at) => {
        const bytes = Buffer.concat([Buffer.alloc(at, 1), other]);
        expect(equalsLiteral(literal(known), bytes, at, other.length)).toBe(Buffer.compare(known, other) === 0);
      }),
    );
  });

  it("see a view of the very bytes given, also of one buffer after another", () => {
    const memory = Buffer.from("0123456789");
    expect(viewOf(memory.subarray(2)).getUint8(0)).toBe(0x32);
    expect(viewOf(memory.subarray(5, 6)).byteLength).toBe(1);
    expect(viewOf(memory).getUint8(9)).toBe(0x39);
  });
});

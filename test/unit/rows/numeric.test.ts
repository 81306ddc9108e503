import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../collector/base/byte-writer.ts";
import { copyNumeric } from "../../../collector/rows/copy-row.ts";

/** PostgreSQL's own reading of the binary form: groups of four digits, `weight` of them before the point (numeric_recv). */
function readNumeric(bytes: Buffer): string {
  const count = bytes.readUInt16BE(4);
  const weight = bytes.readInt16BE(6);
  const negative = bytes.readUInt16BE(8) === 0x4000;
  const scale = bytes.readUInt16BE(10);
  const groups = Array.from({ length: count }, (_, i) => String(bytes.readUInt16BE(12 + i * 2)).padStart(4, "0"));
  const all = [...Array.from({ length: Math.max(0, -weight - 1) }, () => "0000"), ...groups];
  const before = weight < 0 ? 0 : weight + 1;
  const whole =
    all
      .slice(0, before)
      .join("")
      .padEnd(before * 4, "0")
      .replace(/^0+(?=\d)/, "") || "0";
  const fraction = all.slice(before).join("").padEnd(scale, "0").slice(0, scale);
  return `${negative ? "-" : ""}${whole}${scale === 0 ? "" : `.${fraction}`}`;
}

const written = (value: number): string => {
  const out = new ByteWriter();
  copyNumeric(out, value);
  const bytes = Buffer.from(out.view());
  expect(bytes.readUInt32BE(0)).toBe(bytes.length - 4);
  return readNumeric(bytes);
};

/** A double's shortest decimal text, where it has no exponent. */
const plain = (value: number): string => {
  const text = String(value);
  return text.includes("e") ? "" : text;
};

describe("a number as numeric", () => {
  it.each([
    0, 0.36, 0.00004725, 1, 12.5, 8_191.999_999_999, 8_192.5, 8_652.913_039_288_11, 0.000_000_000_001, 1_234_567.89, -0.5, 1e20, 1e-15,
  ])("%d keeps its value", (value) => {
    expect(Number(written(value))).toBe(value);
  });

  it("is the double's shortest decimal text, exactly", () => {
    const amounts = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
      fc.integer({ min: 0, max: 2 ** 52 }).map((units) => units / 1e12),
      // Where doubles lie further apart than the twelfth decimal, several texts of that length stand for one of them.
      fc.double({ noNaN: true, min: 4_000, max: 10_000 }),
    );
    fc.assert(
      fc.property(amounts, (value) => {
        expect(Number(written(value))).toBe(value + 0);
        const text = plain(value);
        if (text !== "" && !Object.is(value, -0)) expect(written(value)).toBe(text);
      }),
      { numRuns: 3_000 },
    );
  });
});

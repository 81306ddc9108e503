import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../collector/base/byte-writer.ts";
import { Arena, AttributeList } from "../../../collector/otlp/attribute-list.ts";
import { MENDED_NUL, MENDED_UTF8, writeJsonString } from "../../../collector/otlp/json-string.ts";
import { writeJsonObject } from "../../../collector/otlp/value-json.ts";
import { writeNanos } from "../../../collector/rows/copy-row.ts";
import { any, keyValue } from "../../support/wire-builder.ts";

/** The bytes as a JSON string, with others around them that must not matter. */
function jsonString(bytes: Uint8Array): { text: string; mended: number } {
  const source = Buffer.concat([Buffer.from('"\\\u0001'), bytes, Buffer.from('\u0000"\\')]);
  const out = new ByteWriter(1);
  out.u8(0x5b);
  const mended = writeJsonString(out, source, 3, 3 + bytes.length);
  out.u8(0x5d);
  return { text: out.view().toString("utf8"), mended };
}

/** What a text becomes: NUL and what is not UTF-8 as U+FFFD. */
const stored = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8").replaceAll("\u0000", "\uFFFD");

describe("JSON strings", () => {
  it.each([
    "",
    "a",
    "abc",
    "abcd",
    "abcdefghi",
    '"',
    'abc"',
    'abcdefg"',
    "abcdefgh\\",
    "\n",
    "abcd\u001f",
    "abcdef\u007f",
    "äöü",
    "abcä",
    "日本語です",
  ])("read back as the text %j", (text) => {
    const { text: json, mended } = jsonString(Buffer.from(text));
    expect(JSON.parse(json)).toEqual([text]);
    expect(mended).toBe(0);
  });

  it("read back as the text for any characters in any place", () => {
    const character = fc.constantFrom(
      "a",
      "z",
      "0",
      " ",
      '"',
      "\\",
      "\n",
      "\u0001",
      "\u001f",
      "\u007f",
      "\u0080",
      "ß",
      "\u07ff",
      "€",
      "\uffff",
      "😀",
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 40 }), (text) => {
        expect(JSON.parse(jsonString(Buffer.from(text)).text)).toEqual([text]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("hold what PostgreSQL can hold for any bytes, and say what was mended", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        const { text, mended } = jsonString(bytes);
        expect(JSON.parse(text)).toEqual([stored(bytes)]);
        expect((mended & MENDED_NUL) !== 0).toBe(bytes.includes(0));
        expect((mended & MENDED_UTF8) !== 0).toBe(!Buffer.from(Buffer.from(bytes).toString("utf8")).equals(Buffer.from(bytes)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("cost nothing but their escapes, however many there are", () => {
    expect(JSON.parse(jsonString(Buffer.alloc(100_000, '"\n')).text)[0]).toBe('"\n'.repeat(50_000));
  });
});

describe("attributes as a JSON object", () => {
  const objectOf = (...pairs: readonly Buffer[]): string => {
    const arena = new Arena();
    const list = new AttributeList(arena);
    arena.request = Buffer.concat(pairs);
    let at = 0;
    for (const pair of pairs) {
      list.addKeyValue(at, at + pair.length);
      at += pair.length;
    }
    const out = new ByteWriter(1);
    writeJsonObject(out, list, () => {});
    return out.view().toString("utf8");
  };

  it("is empty without any", () => {
    expect(objectOf()).toBe("{}");
  });

  it("keeps keys that are too long for the key table, first or last", () => {
    const long = "k".repeat(300);
    expect(objectOf(keyValue(long, any.int(1)), keyValue("short", any.bool(true)))).toBe(`{"${long}":1,"short":true}`);
    expect(objectOf(keyValue("short", any.bool(false)), keyValue(long, any.empty()))).toBe(`{"short":false,"${long}":null}`);
  });

  it("keeps the last of equal keys, also when only that remains", () => {
    expect(objectOf(keyValue("a", any.int(1)), keyValue("a", any.int(2)))).toBe('{"a":2}');
  });

  it.each([
    0n,
    1n,
    127n,
    128n,
    16_383n,
    16_384n,
    268_435_455n,
    268_435_456n,
    2_147_483_647n,
    2_147_483_648n,
    2n ** 53n,
    2n ** 63n - 1n,
    -1n,
    -(2n ** 31n),
    -(2n ** 63n),
  ])("writes the integer %s exactly", (value) => {
    expect(objectOf(keyValue("n", any.int(value)))).toBe(`{"n":${value}}`);
  });

  it("reads texts of every length the same way", () => {
    for (const size of [0, 1, 126, 127, 128, 129, 16_383, 16_384])
      expect(objectOf(keyValue("t", any.string("x".repeat(size))))).toBe(`{"t":"${"x".repeat(size)}"}`);
  });
});

describe("nanoseconds in digits", () => {
  it.each([
    0n,
    1n,
    999n,
    1_000n,
    999_999_999n,
    1_000_000_000n,
    1_763_676_000_123_456_789n,
    2_147_483_648n * 10n ** 9n,
    4_290_672_328_704n * 10n ** 6n,
    2n ** 64n - 1n,
  ])("%s", (nanos) => {
    const out = new ByteWriter(1);
    writeNanos(out, { lo: Number(BigInt.asIntN(32, nanos)), hi: Number(BigInt.asIntN(32, nanos >> 32n)) });
    expect(out.view().toString()).toBe(String(nanos));
  });
});

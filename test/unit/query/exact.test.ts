import { describe, expect, it } from "vitest";
import { exactJson, exactNumber, isoTime } from "../../../collector/query/exact.ts";
import { histogramOf, percentile } from "../../../collector/query/usage/histogram.ts";

describe("numbers of the database", () => {
  it.each([
    ["0", 0],
    ["-12", -12],
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740993", "9007199254740993"],
    ["0.000000000001", 0.000_000_000_001],
    ["0.100000000000000000", 0.1],
    ["123456789.123456789123", "123456789.123456789123"],
    ["NaN", "NaN"],
  ])("%s becomes %s", (text, value) => {
    expect(exactNumber(text)).toBe(value);
  });

  it("keep their digits inside JSON", () => {
    expect(exactJson('{"id": 9007199254740993, "list": [12345678901234567890, 1.5], "text": "12345678901234567890"}')).toEqual({
      id: "9007199254740993",
      list: ["12345678901234567890", 1.5],
      text: "12345678901234567890",
    });
  });
});

it("times have six decimals, so that they sort as text", () => {
  expect(["2026-11-21 08:00:00+00", "2026-11-21 08:00:00.12+00", "infinity"].map(isoTime)).toEqual([
    "2026-11-21T08:00:00.000000Z",
    "2026-11-21T08:00:00.120000Z",
    "infinity",
  ]);
});

it.each([
  [[1, 1], 0.5, 0],
  [[1, 1], 0.95, 1],
  [[19, 1], 0.95, 0],
  [[18, 2], 0.95, 1],
  [[99, 1], 0.99, 0],
  [[7, 3], 0.7, 0],
  [[0, 5, 0], 0, 1],
])("of calls %j in neighbouring buckets, %d did not exceed the duration of bucket %d", (counts, share, expected) => {
  const buckets = counts.map((_, i) => i * 20);
  const only = (i: number) => percentile({ buckets: [i * 20], counts: [1] }, 0.5);
  expect(percentile({ buckets, counts }, share)).toBe(only(expected));
});

it("a percentile of a histogram is that of its bucket, and null without calls", () => {
  expect(percentile({ buckets: [], counts: [] }, 0.5)).toBeNull();
  const bucketOf = (millis: number): number => Math.ceil(Math.log(millis) / Math.log(1.05));
  const histogram = { buckets: [bucketOf(10), bucketOf(1_000)], counts: [99, 1] };
  expect(percentile(histogram, 0.5)! / 10).toBeCloseTo(1, 1);
  expect(percentile(histogram, 1)! / 1_000).toBeCloseTo(1, 1);
});

it("a histogram is read from the digits of one number, twelve a bucket", () => {
  const calls = (bucket: number, count: bigint): bigint => count * 10n ** BigInt(12 * (bucket + 141));
  const sum = calls(-141, 7n) + calls(0, 999_999_999_999n) + calls(94, 1n) + calls(95, 20n);
  expect(histogramOf(sum.toString())).toEqual({ buckets: [-141, 0, 94, 95], counts: [7, 999_999_999_999, 1, 20] });
  expect(histogramOf("")).toEqual({ buckets: [], counts: [] });
});

it.each([1n, 10n, 1_200n, 100_000_000_000n])("a histogram that begins with %d calls is the same without the zeros at its end", (count) => {
  const digits = (count * 10n ** (12n * 235n) + 5n * 10n ** (12n * 300n)).toString();
  const trimmed = digits.replace(/0+$/, "");
  expect(histogramOf(trimmed, digits.length)).toEqual({ buckets: [94, 159], counts: [Number(count), 5] });
});

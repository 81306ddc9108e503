import { describe, expect, it } from "vitest";
import { cutIntoParts, halve, itemsOf, type Part } from "../../../collector/exporters/postgres/batch.ts";
import { encodedRequest, generation, span } from "../../support/encoded-request.ts";
import { partOf } from "../../support/pending-parts.ts";

const whole = partOf(encodedRequest(Array.from({ length: 10 }, (_, i) => generation(`g${i}`))));
const rangesOf = (parts: readonly Part[]): (readonly [number, number])[] => parts.map(({ fromItem, toItem }) => [fromItem, toItem]);
const cut = (limits: { maxBatchBytes?: number; maxBatchRows?: number }): Part[] =>
  cutIntoParts(whole.pending, { maxBatchBytes: 1e9, maxBatchRows: 1e9, ...limits });

describe("cutting a request", () => {
  it("leaves a small one whole", () => {
    expect(rangesOf(cut({}))).toEqual([[0, 10]]);
  });

  it("keeps the rows of an item together and every part within the rows allowed", () => {
    const parts = cut({ maxBatchRows: 7 });
    expect(rangesOf(parts)).toEqual([
      [0, 3],
      [3, 6],
      [6, 9],
      [9, 10],
    ]);
    expect(parts.map((part) => part.rows)).toEqual([6, 6, 6, 2]);
  });

  it("keeps every part within the bytes allowed and loses none", () => {
    const [all] = cut({});
    const parts = cut({ maxBatchBytes: Math.ceil(all!.bytes / 3) });
    expect(parts.length).toBeGreaterThan(2);
    expect(Math.max(...parts.map((part) => part.bytes))).toBeLessThanOrEqual(Math.ceil(all!.bytes / 3));
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(all!.bytes);
  });

  it("gives an item that is too large a part of its own", () => {
    const request = encodedRequest([span("a"), span("b", { name: "x".repeat(5_000) }), span("c")]);
    const parts = cutIntoParts(partOf(request).pending, { maxBatchBytes: 1_000, maxBatchRows: 100 });
    expect(rangesOf(parts)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });
});

describe("halving", () => {
  it("cuts by items, also inside a part", () => {
    const other = partOf(encodedRequest([span("a"), span("b")]));
    const halves = halve([other, whole])!;
    expect(halves.map(itemsOf)).toEqual([6, 6]);
    expect(halves.map(rangesOf)).toEqual([
      [
        [0, 2],
        [0, 4],
      ],
      [[4, 10]],
    ]);
  });

  it("ends at a single item, and always gets there", () => {
    let parts: Part[] | undefined = [whole];
    let steps = 0;
    for (let halves = halve(parts); halves !== undefined; halves = halve(parts)) {
      parts = halves[1];
      steps++;
    }
    expect(itemsOf(parts)).toBe(1);
    expect(steps).toBe(4);
  });
});

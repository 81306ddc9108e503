import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, type CallTexts, createBlocks } from "../../../collector/jobs/word-signatures/blocks.ts";

function cut(calls: readonly CallTexts[]): Block[] {
  const found: Block[] = [];
  const blocks = createBlocks((block) => found.push(block));
  for (const call of calls) blocks.add(call);
  blocks.end();
  return found;
}

const LARGE = "one two three four ".repeat(5_000);
const call = (time: number, text: string | undefined = "short"): CallTexts => ({
  time: String(time).padStart(6, "0"),
  texts: text === undefined ? undefined : [text, null],
});
const unread = (time: number): CallTexts => ({ ...call(time), texts: undefined });

const holding = (blocks: readonly Block[], { time }: CallTexts): number =>
  blocks.filter(({ firstTime, lastTime }) => firstTime <= time && time <= lastTime).length;

describe("blocks of calls", () => {
  it("hold each call that could be read at most once, never part of a moment, and none that could not", () => {
    const drawn = fc.record({ time: fc.nat(12), kind: fc.constantFrom("short", "large", "unread") });
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 40 }), (given) => {
        const calls = given
          .toSorted((a, b) => a.time - b.time)
          .map(({ time, kind }) => (kind === "unread" ? unread(time) : call(time, kind === "large" ? LARGE : "short")));
        const blocks = cut(calls);
        for (const each of calls) expect(holding(blocks, each)).toBeLessThanOrEqual(each.texts === undefined ? 0 : 1);
        if (calls.every(({ texts }) => texts !== undefined)) for (const each of calls) expect(holding(blocks, each)).toBe(1);
      }),
    );
  });

  it("are cut where much text has come together", () => {
    const blocks = cut([1, 2, 3, 4, 5, 6].map((time) => call(time, LARGE)));
    expect(blocks.map(({ firstTime, lastTime }) => [Number(firstTime), Number(lastTime)])).toEqual([
      [1, 3],
      [4, 6],
    ]);
  });

  it("keep calls of one moment together, however much text they have", () => {
    expect(cut(Array.from({ length: 9 }, () => call(1, LARGE)))).toHaveLength(1);
  });

  it("are none where there are no calls", () => {
    expect(cut([])).toEqual([]);
  });

  it("leave out what stands beside a call that could not be read, and go on behind it", () => {
    const blocks = cut([call(1), unread(2), call(3), call(4)]);
    expect(blocks.map(({ firstTime, lastTime }) => [Number(firstTime), Number(lastTime)])).toEqual([[3, 4]]);
  });
});

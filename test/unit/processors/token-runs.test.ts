import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SECRET_FINDERS } from "../../../collector/processors/secrets.ts";
import { createRunSearch, MIN_RUN_BYTES } from "../../../collector/processors/token-runs.ts";

const NEEDLES = ["sk-", "sk_live_", "AKIA"].map((needle) => Buffer.from(needle));
const search = createRunSearch(NEEDLES);

/** The same, said by a regular expression. */
function expected(text: string): number[] {
  const runs = text.match(/[A-Za-z0-9_-]{20,}/g) ?? [];
  return NEEDLES.flatMap((needle, i) => (runs.some((run) => run.includes(needle.toString())) ? [i] : []));
}

describe("runs of token bytes", () => {
  it.each([
    ["sk-45678901234567890", [0]],
    ["sk-4567890123456789", []],
    ["12345678901234567sk-", [0]],
    ["a sk_live_901234567890 b AKIA5678901234567890", [1, 2]],
    ["12345678901234567890 sk- sk_live_", []],
    ["12345678901234567890\n12345678901234567sk-", [0]],
    ["", []],
  ])("%j holds %j", (text, found) => {
    expect([...search(Buffer.from(text))].sort()).toEqual(found);
    expect(expected(text)).toEqual(found);
  });

  it("that are long enough are found in any text, wherever they begin and end", () => {
    const piece = fc.constantFrom("a", "0123456789", "sk-", "sk_live_", "AKIA", " ", "\n", "-", ".", "ü", "word ", "sk", "_");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        const text = pieces.join("");
        const found = search(Buffer.from(text));
        for (const index of expected(text)) expect(found).toContain(index);
        for (const index of found) expect(text).toContain(NEEDLES[index]!.toString());
      }),
      { numRuns: 5_000 },
    );
  });

  it("are long enough for every finder that relies on them", () => {
    const relying = SECRET_FINDERS.filter((finder) => finder.isRun === true);
    expect(relying.length).toBeGreaterThan(10);
    for (const { needle, find } of relying) {
      const bytes = Buffer.concat([needle!, Buffer.from("A1".repeat(MIN_RUN_BYTES))]).subarray(0, MIN_RUN_BYTES - 1);
      expect([...find(bytes, { start: 0, end: bytes.length })]).toEqual([]);
    }
  });
});

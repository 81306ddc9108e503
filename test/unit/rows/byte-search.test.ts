import fc from "fast-check";
import { expect, it } from "vitest";
import { createByteSearch } from "../../../collector/rows/byte-search.ts";

const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 40 }).map((text) => Buffer.from(text));

it("says of any slices in any order, of one text after another, what a search of each slice says", () => {
  const slices = fc.array(fc.record({ text: fc.nat(1), from: fc.nat(40), to: fc.nat(40) }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.tuple(letters, letters), fc.constantFrom("a", "ab", "abc", "cab"), slices, (texts, word, wanted) => {
      const search = createByteSearch(word);
      for (const { text, from, to } of wanted) {
        const source = texts[text]!;
        const start = Math.min(from, source.length);
        const end = Math.max(start, Math.min(to, source.length));
        expect(search(source, start, end)).toBe(source.subarray(start, end).includes(word));
      }
    }),
    { numRuns: 2_000 },
  );
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGrams, hashesOf, MAX_SIGNATURE_BYTES, signatureOf } from "../../../collector/query/words/grams.ts";

const signed = (...texts: string[]): Uint8Array => {
  const grams = createGrams();
  for (const text of texts) grams.add(text);
  return signatureOf(grams.take());
};

/** As get_bit() of PostgreSQL asks. */
const mayHold = (bits: Uint8Array, word: string): boolean =>
  hashesOf(word).every((hash) => {
    const bit = hash % (bits.length * 8);
    return ((bits[bit >> 3]! >> (bit & 7)) & 1) === 1;
  });

const text = fc.string({ unit: fc.constantFrom(..."abcdefXYZ019 .,%_-äÉß日K"), maxLength: 60 });

describe("a signature of texts", () => {
  it("may hold every piece of every text that was signed, in either case", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(), fc.nat(), (texts, which, from, length) => {
        const chosen = texts[which % texts.length]!;
        const word = chosen.slice(from % (chosen.length + 1)).slice(0, length % 12);
        const bits = signed(...texts);
        const cases = /^\p{ASCII}*$/u.test(word) ? [word, word.toUpperCase(), word.toLowerCase()] : [word];
        expect(cases.filter((each) => !mayHold(bits, each))).toEqual([]);
      }),
    );
  });

  it("says no for words that no text has", () => {
    const bits = signed("The teacher explains a short lesson.", "A river follows the mountain.");
    expect(["xylophone", "invoices", "0815-4711"].filter((word) => mayHold(bits, word))).toEqual([]);
    expect(["EACHER", "lesson", "mountain."].filter((word) => !mayHold(bits, word))).toEqual([]);
  });

  it("does not join the end of one text to the beginning of the next, nor pieces beside other characters", () => {
    const bits = signed("xylo", "phone", "key-word", "gräser1");
    expect(["ylop", "yword", "grser", "keyw"].filter((word) => mayHold(bits, word))).toEqual([]);
  });

  it.each(["", "abc", "a-b-c", "日本語", "äöü", "ab%cd"])(
    "knows nothing of %j, which has no four letters or digits side by side",
    (word) => {
      expect(hashesOf(word)).toEqual([]);
    },
  );

  it("does not grow beyond half a page, however much is signed", () => {
    const words = Array.from({ length: 60_000 }, (_, i) => ((i * 7_919) % 1_679_616).toString(36).padStart(4, "0"));
    const bits = signed(words.join(" "));
    expect(bits.length).toBe(MAX_SIGNATURE_BYTES);
    expect(mayHold(bits, words[500]!)).toBe(true);
  });

  it("begins anew after it was taken", () => {
    const grams = createGrams();
    grams.add("teacher");
    expect([...grams.take()]).toHaveLength(4);
    expect(grams.size).toBe(0);
    grams.add("teacher teacher");
    expect([...grams.take()]).toHaveLength(4);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapedWord } from "../../../../collector/query/words/escaped.ts";
import { hashesOf } from "../../../../collector/query/words/grams.ts";

const unitOf = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
const inner = (text: string): string => JSON.stringify(text).slice(1, -1);
const asPython = (text: string): string => inner(text).replace(/[\u0080-\uffff]/g, unitOf);
/** How serializers write the inside of a string. */
const SERIALIZERS: Readonly<Record<string, (text: string) => string>> = {
  "nobody, as plain text": (text) => text,
  JavaScript: inner,
  Python: asPython,
  Go: (text) => inner(text).replace(/[<>&]/g, unitOf),
  PHP: (text) => asPython(text).replaceAll("/", "\\/"),
  ".NET": (text) => asPython(text).replace(/\\"|\\\\|[<>&'+`]/g, (found) => unitOf(found.at(-1)!).toUpperCase().replace("U", "u")),
  "Python twice, as arguments of tool calls are": (text) => asPython(asPython(text)),
};
/** As lower() under the collation "C". */
const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const finds = (word: string, text: string): boolean => {
  const escaped = escapedWord(word);
  if (escaped === undefined) return folded(text).includes(folded(word));
  // What the patterns are made of means the same here and in PostgreSQL.
  return folded(text).includes(escaped.plain) && new RegExp(escaped.pattern, "u").test(folded(text));
};
const piecesOf = (text: string): Set<number> => new Set(hashesOf(text));

const CHARS = [..."abcdefXYZ019nu.,%_-$^()[]{}*?|#", ..."äÉßø日Ωя", ..."\"\\/<>&'+`", "\u{1f642}", "\b", "\u0001"];
const word = fc.string({ unit: fc.constantFrom(...CHARS), minLength: 1, maxLength: 12 });
const around = fc.string({ unit: fc.constantFrom(...CHARS, " ", "\n"), maxLength: 8 });
const swapped = (text: string): string =>
  Array.from(text, (char) => (char === "ß" ? char : char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join("");

describe("a word in strings of JSON", () => {
  it.each(Object.entries(SERIALIZERS))("written by %s is found in either case, and signatures of the text know its pieces", (_, write) => {
    fc.assert(
      fc.property(word, around, around, (looked, before, after) => {
        for (const said of [looked, swapped(looked)]) {
          const text = write(`${before}${said}${after}`);
          expect(finds(looked, text)).toBe(true);
          expect([...piecesOf(looked)].filter((piece) => !piecesOf(text).has(piece))).toEqual([]);
        }
      }),
    );
  });

  it.each([
    ["café", "cafe caf\\u00e8 caf caf\\\\u00ea"],
    ['"a"', "a \\u0022b\\u0022 'a'"],
    ["C:\\Userdata", "C:Userdata C:/Userdata c:\\data"],
    ["a.b/c", "axb/c a.bc"],
    ["\u{1f642}", "\\ud83d\\ude43 \\ud83d"],
    ["%é_", "xéx %e_"],
  ])("%j is not found in %j", (looked, text) => {
    expect(finds(looked, text)).toBe(false);
  });

  it.each(["lesson", "ab_1", "100%", "key-word:", "(x)", "a.b,c;d!?", "#1@$*=|~^[]{}"])("%s has one form", (looked) => {
    expect(escapedWord(looked)).toBeUndefined();
  });

  it("is first looked for by its longest plain part", () => {
    expect(escapedWord("Übungsbeispiel-für")?.plain).toBe("bungsbeispiel-f");
    expect(escapedWord("日本")?.plain).toBe("");
  });
});

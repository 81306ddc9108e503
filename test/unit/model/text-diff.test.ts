import fc from "fast-check";
import { expect, it } from "vitest";
import { diffTexts } from "../../../collector/model/text-diff.ts";

it("shows changed lines, and the words in them", () => {
  const { pieces, added_lines, removed_lines } = diffTexts("a\nder alte Satz\nc\n", "a\nder neue Satz\nc\nd\n");
  expect([added_lines, removed_lines]).toEqual([2, 1]);
  expect(pieces!.map(({ op, text }) => [op, text])).toEqual([
    ["equal", "a\n"],
    ["remove", "der alte Satz\n"],
    ["add", "der neue Satz\n"],
    ["equal", "c\n"],
    ["add", "d\n"],
  ]);
  expect(pieces![1]!.words!.filter(({ op }) => op === "remove")).toEqual([{ op: "remove", text: "alte" }]);
});

it("holds both texts whole, whatever they are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      const { pieces = [] } = diffTexts(a, b);
      const side = (left: string) =>
        pieces
          .filter(({ op }) => op === "equal" || op === left)
          .map(({ text }) => text)
          .join("");
      expect([side("remove"), side("add")]).toEqual([a, b]);
    }),
  );
});

it("takes what is absent for an empty text", () => {
  expect(diffTexts(null, null)).toEqual({ equal: true, added_lines: 0, removed_lines: 0, pieces: [] });
  expect(diffTexts(null, "x")).toMatchObject({ equal: false, added_lines: 1 });
});

it("gives up on long unrelated texts instead of taking seconds", () => {
  const words = (seed: number): string => Array.from({ length: 40_000 }, (_, i) => ((i * seed) % 99_991).toString(36)).join("\n");
  const started = performance.now();
  const { equal, pieces, added_lines } = diffTexts(words(7_919), words(104_729));
  expect([equal, pieces, added_lines]).toEqual([false, undefined, 40_000]);
  expect(performance.now() - started).toBeLessThan(10_000);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import loadWabt from "wabt";
import { createNeedleSearch } from "../../../collector/base/needle-search.ts";
import { repositoryRoot } from "../../support/source-files.ts";

const NEEDLES = ["sk-", "sk_live_", "AKIA", "ghp_", "eyJ", "bearer ", "Bearer ", "xox", "PRIVATE KEY", "npm_"].map((needle) =>
  Buffer.from(needle),
);
const search = createNeedleSearch(NEEDLES);

const expected = (bytes: Buffer): number[] => NEEDLES.flatMap((needle, i) => (bytes.includes(needle) ? [i] : []));
const found = (bytes: Buffer): number[] => [...search(bytes)].toSorted((a, b) => a - b);

const CHUNK = 128 * 1024;

describe("the search for all needles at once", () => {
  it("finds what a native search for each of them finds, in any bytes", () => {
    const piece = fc.oneof(
      fc.constantFrom(...NEEDLES.map(String), "s", "sk", "AKI", "gh", " ", "\n", "ü", "\u0000", "sksk-", "bearer", "word "),
      fc.string({ maxLength: 20, unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(""));
        expect(found(bytes)).toEqual(expected(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([0, 1, 5, 15, 16, CHUNK - 12, CHUNK - 3, CHUNK - 2, CHUNK - 1, CHUNK, 2 * CHUNK - 1])(
    "finds a needle at %i of a longer text",
    (at) => {
      const bytes = Buffer.alloc(3 * CHUNK, "a ");
      bytes.write("bearer ", at);
      expect(found(bytes)).toEqual([5]);
    },
  );

  it("finds a needle that ends with the bytes, and none that is cut there", () => {
    for (const before of [0, 1, 13, 14, 15, 16, 17]) {
      const text = `${".".repeat(before)}AKIA`;
      expect(found(Buffer.from(text))).toEqual([2]);
      expect(found(Buffer.from(text.slice(0, -1)))).toEqual([]);
      // What the longer text before it has left behind is no part of this one.
      search(Buffer.from(`${text}AKIA`));
      expect(found(Buffer.from(text.slice(0, -2)))).toEqual([]);
    }
  });

  it("goes on behind more candidates than it notes at a time", () => {
    const bytes = Buffer.concat([Buffer.alloc(60_000, "sk_"), Buffer.from("ghp_")]);
    expect(found(bytes)).toEqual([3]);
  });
});

it("the instructions are those of needle-scan.wat, assembled", async () => {
  const path = join(repositoryRoot, "collector/base/needle-scan.wat");
  const wabt = await loadWabt();
  const { buffer } = wabt.parseWat("needle-scan.wat", readFileSync(path, "utf8"), { simd: true }).toBinary({});
  expect(Buffer.from(buffer).equals(readFileSync(path.replace(/wat$/, "wasm")))).toBe(true);
});

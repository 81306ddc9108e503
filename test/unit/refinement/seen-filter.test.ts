import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { createSeenFilter } from "../../../collector/refinement/seen-filter.ts";

const hashesOf = (n: number): [number, number] => {
  const digest = createHash("sha256").update(String(n)).digest();
  return [digest.readInt32LE(0), digest.readInt32LE(4)];
};

it("knows every one of the last keys, as many as asked for, and forgets those of long ago", () => {
  const filter = createSeenFilter(1_000);
  for (let n = 0; n < 5_000; n++) {
    filter.add(...hashesOf(n));
    if (n % 100 === 0) for (let back = 0; back < Math.min(n, 1_000); back++) expect(filter.has(...hashesOf(n - back))).toBe(true);
  }
  const remembered = Array.from({ length: 2_000 }, (_, n) => filter.has(...hashesOf(n))).filter(Boolean);
  expect(remembered.length).toBeLessThan(20);
});

it("is wrong for less than one of two hundred keys that were never added, however full it is", () => {
  const filter = createSeenFilter(10_000);
  for (let n = 0; n < 55_000; n++) filter.add(...hashesOf(n));
  const wrong = Array.from({ length: 100_000 }, (_, n) => filter.has(...hashesOf(1_000_000 + n))).filter(Boolean);
  expect(wrong.length).toBeLessThan(500);
});

it("knows a key of zeros only when it was added", () => {
  const filter = createSeenFilter(10);
  expect(filter.has(0, 0)).toBe(false);
  filter.add(0, 0);
  expect(filter.has(0, 0)).toBe(true);
});

import { expect, it } from "vitest";
import { compareMeans, compareProportions } from "../../../collector/model/significance.ts";

it.each([
  // Two-sided p of the pooled z-test, as R's prop.test(correct = FALSE) gives it.
  [{ count: 45, of: 100 }, { count: 60, of: 100 }, 0.0337, "different"],
  [{ count: 50, of: 100 }, { count: 55, of: 100 }, 0.4789, "noise"],
  [{ count: 100, of: 100 }, { count: 100, of: 100 }, 1, "noise"],
] as const)("proportions %o and %o have p %d", (a, b, p, verdict) => {
  const found = compareProportions(a, b);
  expect(found.p).toBeCloseTo(p, 3);
  expect(found.verdict).toBe(verdict);
});

it("means differ by Welch's test", () => {
  // z = (100 - 110) / sqrt(400 / 50 + 900 / 60) = -2.085
  const found = compareMeans({ size: 50, mean: 100, variance: 400 }, { size: 60, mean: 110, variance: 900 });
  expect(found.p).toBeCloseTo(0.0371, 3);
  expect(found.verdict).toBe("different");
  expect(compareMeans({ size: 50, mean: 1, variance: 0 }, { size: 50, mean: 1, variance: 0 }).verdict).toBe("noise");
  expect(compareMeans({ size: 50, mean: 1, variance: 0 }, { size: 50, mean: 2, variance: 0 }).verdict).toBe("different");
});

it("fewer than thirty on one side are too few to tell", () => {
  expect(compareProportions({ count: 1, of: 29 }, { count: 99, of: 100 })).toEqual({ verdict: "too_few", p: null });
  expect(compareMeans({ size: 1_000, mean: 1, variance: 1 }, { size: 29, mean: 9, variance: 1 })).toEqual({ verdict: "too_few", p: null });
  expect(compareMeans({ size: 1_000, mean: null, variance: null }, { size: 1_000, mean: 9, variance: 1 }).verdict).toBe("too_few");
});

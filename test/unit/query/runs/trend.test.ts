import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RegressionSums, trendOf } from "../../../../collector/query/runs/trend.ts";

/** The sums over runs one day apart, by their definition. */
function sumsOf(values: readonly number[]): RegressionSums {
  const count = values.length;
  const meanX = (count - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const sum = (term: (value: number, i: number) => number): number => values.reduce((total, value, i) => total + term(value, i), 0);
  return {
    count,
    mean,
    sxx: sum((_value, i) => (i - meanX) ** 2),
    syy: sum((value) => (value - mean) ** 2),
    sxy: sum((value, i) => (i - meanX) * (value - mean)),
    days: count - 1,
  };
}

const days = (count: number, value: (day: number) => number): number[] => Array.from({ length: count }, (_, i) => value(i));
/** Up and down by the same, without direction. */
const noise = (day: number): number => (day % 2 === 0 ? 0.05 : -0.05);

describe("the trend of a metric", () => {
  it("of thirty days of falling scores is declining, of rising ones improving", () => {
    expect(trendOf(sumsOf(days(30, (day) => 0.9 - 0.01 * day)), "higher")).toMatchObject({
      direction: "declining",
      runs: 30,
      change: expect.closeTo(-0.29, 10),
      change_per_day: expect.closeTo(-0.01, 10),
    });
    expect(trendOf(sumsOf(days(30, (day) => 0.6 + 0.01 * day + noise(day))), "higher").direction).toBe("improving");
  });

  it("of a duration is improving when it falls", () => {
    expect(trendOf(sumsOf(days(10, (day) => 100 - day)), "lower").direction).toBe("improving");
    expect(trendOf(sumsOf(days(10, (day) => 100 + day)), "lower").direction).toBe("declining");
  });

  it("is flat where it is drowned by noise, where it never changes, and where it changes by less than one percent", () => {
    expect(trendOf(sumsOf(days(30, (day) => 0.8 + 0.0005 * day + noise(day))), "higher").direction).toBe("flat");
    expect(trendOf(sumsOf(days(30, () => 0.8)), "higher").direction).toBe("flat");
    expect(trendOf(sumsOf(days(30, () => 0)), "higher").direction).toBe("flat");
    expect(trendOf(sumsOf(days(30, (day) => 0.8 + 0.0002 * day)), "higher").direction).toBe("flat");
  });

  it("of fewer than five runs, or of runs of one moment, is unknown", () => {
    expect(trendOf(sumsOf([0.9, 0.5, 0.2, 0.1]), "higher").direction).toBe("too_few");
    expect(trendOf({ ...sumsOf(days(9, (day) => day)), sxx: 0 }, "higher").direction).toBe("too_few");
    expect(trendOf({ count: 0, mean: 0, sxx: 0, syy: 0, sxy: 0, days: 0 }, "higher")).toMatchObject({ direction: "too_few", mean: null });
  });

  it("turns round when the values are mirrored", () => {
    const values = fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 5, maxLength: 40 });
    fc.assert(
      fc.property(values, (series) => {
        const there = trendOf(sumsOf(series), "higher").direction;
        const back = trendOf(sumsOf(series.toReversed()), "higher").direction;
        const turned = { improving: "declining", declining: "improving", flat: "flat", too_few: "too_few" } as const;
        expect(back).toBe(turned[there]);
      }),
    );
  });
});

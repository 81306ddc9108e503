import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ModelFigures, rankModels } from "../../../../collector/query/images/stats.ts";

const model = (name: string, attempts: number, succeeded: number, avg_duration_ms: number | null): ModelFigures => ({
  model: name,
  attempts,
  succeeded,
  failed: attempts - succeeded,
  success_rate: succeeded / attempts,
  avg_duration_ms,
  median_duration_ms: avg_duration_ms,
  p95_duration_ms: avg_duration_ms,
  used: succeeded,
  share_of_results: null,
  last_error: null,
});
const order = (...models: readonly ModelFigures[]): string[] => rankModels(models).map((each) => each.model);

describe("the order in which models should be tried", () => {
  it("puts the one first that gives a picture soonest, retries included", () => {
    expect(order(model("sure", 100, 99, 4_000), model("quick", 100, 50, 1_000))).toEqual(["quick", "sure"]);
    expect(order(model("sure", 100, 99, 4_000), model("unlucky", 100, 10, 1_000))).toEqual(["sure", "unlucky"]);
  });

  it("does not trust a single success, and says so", () => {
    const [first, second] = rankModels([model("new", 1, 1, 1_000), model("known", 1_000, 950, 1_200)]);
    expect([first?.model, first?.few, second?.model, second?.few]).toEqual(["known", false, "new", true]);
  });

  it("puts what never succeeded last, however quickly it fails", () => {
    expect(order(model("broken", 50, 0, 10), model("slow", 50, 25, 60_000))).toEqual(["slow", "broken"]);
  });

  it("takes models without durations after those with, by their success", () => {
    expect(order(model("silent", 10, 5, null), model("silent but sure", 10, 9, null), model("known", 10, 2, 9_000))).toEqual([
      "known",
      "silent but sure",
      "silent",
    ]);
  });

  it("gives the shortest expected time of all orders", () => {
    const some = fc.record({
      attempts: fc.integer({ min: 1, max: 50 }),
      ms: fc.integer({ min: 1, max: 10_000 }),
      share: fc.double({ min: 0.02, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(some, { minLength: 2, maxLength: 4 }), (drawn) => {
        const models = drawn.map(({ attempts, ms, share }, i) => model(`m${i}`, attempts, Math.max(1, Math.round(attempts * share)), ms));
        const chance = (each: ModelFigures): number => (Number(each.succeeded) + 1) / (Number(each.attempts) + 2);
        const expected = (sequence: readonly ModelFigures[]): number => {
          let [reached, total] = [1, 0];
          for (const each of sequence) {
            total += reached * (each.avg_duration_ms ?? 0);
            reached *= 1 - chance(each);
          }
          return total;
        };
        const best = Math.min(...permutations(models).map(expected));
        expect(expected(rankModels(models))).toBeLessThanOrEqual(best * (1 + 1e-9));
      }),
    );
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrivalWindowSeconds } from "../../../collector/query/arrival-window.ts";

const PROBE_LIMIT = 100;
const WANTED = 20;
const DAY = 86_400;

/** Looks back over rows of the given ages in seconds, as a limited count in SQL does. */
function look(ages: readonly number[]) {
  const probed: number[] = [];
  const probe = async (seconds: number) => {
    probed.push(seconds);
    const rows = Math.min(ages.filter((age) => age < seconds).length, PROBE_LIMIT);
    return { rows, full: rows === PROBE_LIMIT };
  };
  return { probed, window: () => arrivalWindowSeconds(WANTED, probe) };
}

const spread = (count: number, from: number, to: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / count);

describe("the window that holds what arrived last", () => {
  it("is ten seconds where enough came in them", async () => {
    const { window, probed } = look(spread(50, 0, 10));
    expect(await window()).toBe(10);
    expect(probed).toHaveLength(1);
  });

  it("grows to a day, and no further, where little came", async () => {
    expect(await look(spread(5, 0, DAY)).window()).toBe(DAY);
    expect(await look([]).window()).toBe(DAY);
  });

  it("shrinks to the end of a burst, so that the burst is not sorted whole", async () => {
    const { window } = look(spread(100_000, 5_000, 8_000));
    const seconds = await window();
    const held = spread(100_000, 5_000, 8_000).filter((age) => age < seconds).length;
    expect(held).toBeGreaterThanOrEqual(WANTED);
    expect(held).toBeLessThan(PROBE_LIMIT);
  });

  it("ends after few looks also where all came in the same moment", async () => {
    const { window, probed } = look(Array.from({ length: 10_000 }, () => 700));
    expect(await window()).toBeGreaterThan(700);
    expect(probed.length).toBeLessThan(20);
  });

  it("never misses rows: it holds as many as are wanted, or all of the day", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: 0, max: DAY, noNaN: true, maxExcluded: true }), { maxLength: 400 }), async (ages) => {
        const seconds = await look(ages).window();
        const held = ages.filter((age) => age < seconds).length;
        expect(held >= Math.min(WANTED, ages.length)).toBe(true);
      }),
    );
  });
});

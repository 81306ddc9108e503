import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDays, planMerge, planPartitions } from "../../../collector/jobs/partition-plan.ts";
import type { Partition, TimeRange } from "../../../schema/partitions.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const TODAY = new Date("2026-11-20T00:00:00Z");
const day = (text: string): TimeRange => ({ from: new Date(text), to: addDays(new Date(text), 1) });
const range = (from: string, to: string): TimeRange => ({ from: new Date(from), to: new Date(to) });
const named = (ranges: TimeRange[]): Partition[] => ranges.map((each) => ({ ...each, name: each.from.toISOString().slice(0, 10) }));
const daysFrom = (text: string, count: number): TimeRange[] =>
  Array.from({ length: count }, (_, index) => day(addDays(new Date(text), index).toISOString()));

const plan = (existing: TimeRange[], defaultRows: { day: Date | null; rows: number }[] = []): TimeRange[] =>
  planPartitions({ existing, defaultRows, now: NOW, aheadDays: 2, minRows: 100 });

describe("planPartitions", () => {
  it("makes today and the days ahead", () => {
    expect(plan([])).toEqual(daysFrom("2026-11-20", 3));
  });

  it("makes only what is missing", () => {
    expect(plan(daysFrom("2026-11-20", 2))).toEqual([day("2026-11-22")]);
    expect(plan(daysFrom("2026-11-20", 3))).toEqual([]);
  });

  it("gives a past day its partition once DEFAULT holds many rows of it", () => {
    const rows = [
      { day: new Date("2026-11-17"), rows: 100 },
      { day: new Date("2026-11-18"), rows: 99 },
    ];
    expect(plan(daysFrom("2026-11-20", 3), rows)).toEqual([day("2026-11-17")]);
  });

  it("gives days long past one partition per month, between those that are there", () => {
    const existing = [range("2026-03-01", "2026-03-05"), ...daysFrom("2026-11-20", 3)];
    const rows = [
      { day: new Date("2026-03-09"), rows: 500 },
      { day: new Date("2026-03-30"), rows: 500 },
    ];
    expect(plan(existing, rows)).toEqual([range("2026-03-05", "2026-04-01")]);
  });

  it("leaves absurd times in DEFAULT", () => {
    expect(plan(daysFrom("2026-11-20", 3), [{ day: null, rows: 10_000 }])).toEqual([]);
  });

  it("never plans overlapping ranges and always covers today and the days ahead", () => {
    const dayNumber = fc.integer({ min: -800, max: 20 });
    fc.assert(
      fc.property(
        fc.uniqueArray(dayNumber, { maxLength: 40 }),
        fc.uniqueArray(dayNumber, { maxLength: 40 }),
        (existingDays, crowdedDays) => {
          const existing = existingDays.map((offset) => ({ from: addDays(TODAY, offset), to: addDays(TODAY, offset + 1) }));
          const planned = plan(
            existing,
            crowdedDays.map((offset) => ({ day: addDays(TODAY, offset), rows: 100 })),
          );
          const all = [...existing, ...planned].sort((a, b) => a.from.getTime() - b.from.getTime());
          for (const [index, each] of all.entries()) {
            expect(each.from.getTime()).toBeLessThan(each.to.getTime());
            if (index > 0) expect(all[index - 1]?.to.getTime()).toBeLessThanOrEqual(each.from.getTime());
          }
          const covered = (instant: Date): boolean => all.some((each) => each.from <= instant && instant < each.to);
          for (const offset of [0, 1, 2, ...crowdedDays]) expect(covered(addDays(TODAY, offset))).toBe(true);
        },
      ),
    );
  });
});

describe("planMerge", () => {
  it("merges nothing while there are few partitions", () => {
    expect(planMerge(named(daysFrom("2026-09-01", 60)), NOW, 60)).toBeUndefined();
  });

  it("merges the oldest month that is over", () => {
    const existing = named(daysFrom("2026-09-10", 75));
    const merge = planMerge(existing, NOW, 60);
    expect(merge?.range).toEqual(range("2026-09-10", "2026-10-01"));
    expect(merge?.sources).toHaveLength(21);
  });

  it("does not merge a month that ended less than a week ago", () => {
    const now = new Date("2026-11-05T00:00:00Z");
    expect(planMerge(named(daysFrom("2026-10-01", 31)), now, 5)).toBeUndefined();
  });

  it("merges months into years when no days are left to merge", () => {
    const months = Array.from({ length: 12 }, (_, month) => ({
      from: new Date(Date.UTC(2024, month)),
      to: new Date(Date.UTC(2024, month + 1)),
    }));
    const merge = planMerge(named([...months, ...daysFrom("2026-11-10", 18)]), NOW, 20);
    expect(merge?.range).toEqual(range("2024-01-01", "2025-01-01"));
  });

  it("keeps three years of daily partitions near sixty, however often it runs", () => {
    let live: Partition[] = [];
    for (let index = 0; index < 3 * 365; index++) {
      const now = addDays(TODAY, index);
      live.push(...named([{ from: addDays(now, 7), to: addDays(now, 8) }]));
      for (;;) {
        const merge = planMerge(live, now, 60);
        if (merge === undefined) break;
        live = [...live.filter((each) => !merge.sources.includes(each)), ...named([merge.range])].sort(
          (a, b) => a.from.getTime() - b.from.getTime(),
        );
      }
      expect(live.length).toBeLessThanOrEqual(60);
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDays, type Merge, planMerge, planPartitions, planSplits } from "../../../collector/jobs/partition-plan.ts";
import type { Partition, TimeRange } from "../../../schema/partitions.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const TODAY = new Date("2026-11-20T00:00:00Z");
const day = (text: string): TimeRange => ({ from: new Date(text), to: addDays(new Date(text), 1) });
const range = (from: string, to: string): TimeRange => ({ from: new Date(from), to: new Date(to) });
const named = (ranges: TimeRange[]): Partition[] => ranges.map((each) => ({ ...each, name: each.from.toISOString().slice(0, 10) }));
const daysFrom = (text: string, count: number): TimeRange[] =>
  Array.from({ length: count }, (_, index) => day(addDays(new Date(text), index).toISOString()));

const plan = (existing: TimeRange[], defaultRows: { day: Date | null; rows: number }[] = []): TimeRange[] =>
  planPartitions({ existing, defaultRows, now: NOW, aheadDays: 2, minRows: 100, rebuildRows: 5_000, maxLive: 60 });

const mergeOf = (existing: Partition[], now: Date, maxLive: number, refused?: (merge: Merge) => boolean): Merge | undefined =>
  planMerge({ existing, now, maxLive, aheadDays: 7, ...(refused === undefined ? {} : { refused }) });

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

  it("leaves many rows of many later days in DEFAULT until their days come near", () => {
    const later = daysFrom("2026-11-23", 150).map(({ from }) => ({ day: from, rows: 30 }));
    expect(plan(daysFrom("2026-11-20", 3), later)).toEqual([]);
  });

  it("gives later days a few wide partitions where they are a burden to DEFAULT: the rest of the month, of the year, and all after it", () => {
    const later = daysFrom("2026-11-23", 900).map(({ from }) => ({ day: from, rows: 1_000 }));
    expect(plan(daysFrom("2026-11-20", 3), later)).toEqual([
      range("2026-11-23", "2026-12-01"),
      range("2026-12-01", "2027-01-01"),
      range("2027-01-01", "2555-01-01"),
    ]);
    const one = [{ day: new Date("2030-01-01"), rows: 5_001 }];
    expect(plan(daysFrom("2026-11-20", 3), one)).toEqual([range("2027-01-01", "2555-01-01")]);
  });

  it.each([
    ["months", 300, 100, range("2026-01-01", "2026-02-01"), 11],
    ["years", 3_000, 100, range("2019-01-01", "2020-01-01"), 9],
    ["decades", 20_000, 100, range("1990-01-01", "2000-01-01"), 6],
    ["decades where months have too few rows each, but all together too many", 20_000, 3, range("1990-01-01", "2000-01-01"), 6],
  ])("gives rows of days long past no more than a dozen partitions: %s", (_, days, rows, one, most) => {
    const old = daysFrom(addDays(TODAY, -36 - days).toISOString(), days).map(({ from }) => ({ day: from, rows }));
    const planned = plan(daysFrom("2026-11-20", 3), old);
    expect(planned.length).toBeLessThanOrEqual(most);
    expect(planned).toContainEqual(one);
    const left = old.filter(({ day }) => !planned.some(({ from, to }) => from <= day && day < to));
    expect(left.reduce((sum, each) => sum + each.rows, 0)).toBeLessThanOrEqual(5_000);
  });

  it("makes no partitions but the days ahead while there are too many", () => {
    const existing = daysFrom("2026-01-01", 61);
    expect(plan(existing, [{ day: new Date("2026-11-17"), rows: 100 }])).toEqual(daysFrom("2026-11-20", 3));
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
          const recent = crowdedDays.filter((offset) => offset >= -35 && offset < 0);
          for (const offset of [0, 1, 2, ...recent]) expect(covered(addDays(TODAY, offset))).toBe(true);
          expect(planned.length).toBeLessThanOrEqual(3 + recent.length + 12);
        },
      ),
    );
  });
});

describe("planSplits", () => {
  it("cuts the days that the clock has reached off a wide partition, and covers all of it", () => {
    const [source] = named([range("2026-11-22", "2555-01-01")]) as [Partition];
    expect(planSplits([source], NOW, 7)).toEqual([
      {
        source,
        parts: [
          ...daysFrom("2026-11-22", 6),
          range("2026-11-28", "2026-12-01"),
          range("2026-12-01", "2027-01-01"),
          range("2027-01-01", "2555-01-01"),
        ],
      },
    ]);
  });

  it("keeps in one what went by while nothing was cut", () => {
    const [source] = named([range("2026-11-02", "2026-12-01")]) as [Partition];
    expect(planSplits([source], NOW, 2)[0]?.parts).toEqual([
      range("2026-11-02", "2026-11-20"),
      ...daysFrom("2026-11-20", 3),
      range("2026-11-23", "2026-12-01"),
    ]);
  });

  it("lets days alone, and what is past or not yet near", () => {
    const partitions = named([range("2026-10-01", "2026-11-01"), ...daysFrom("2026-11-20", 8), range("2026-11-28", "2026-12-01")]);
    expect(planSplits(partitions, NOW, 7)).toEqual([]);
  });
});

describe("planMerge", () => {
  it("merges days far ahead, which earlier versions made for whoever sent spans of them", () => {
    const live = named([...daysFrom("2026-11-20", 8), ...daysFrom("2026-11-28", 150)]);
    expect(mergeOf(live, NOW, 60)?.range).toEqual(range("2026-12-01", "2027-01-01"));
  });

  it("passes over what cannot be merged", () => {
    const existing = named(daysFrom("2026-08-10", 75));
    expect(mergeOf(existing, NOW, 60, ({ range: { from } }) => from < new Date("2026-09-01"))?.range).toEqual(
      range("2026-09-01", "2026-10-01"),
    );
  });

  it("merges the neighbours that cover the least time where no month, year or decade is left", () => {
    const existing = named([
      range("2021-01-01", "2022-01-01"),
      range("2022-01-01", "2022-07-01"),
      range("2026-08-01", "2026-09-01"),
      ...daysFrom("2026-09-01", 1),
      ...daysFrom("2026-11-20", 8),
    ]);
    const yearly = ({ range: { from, to } }: Merge) => to.getTime() - from.getTime() > 40 * 86_400_000;
    expect(mergeOf(existing, NOW, 5, yearly)?.range).toEqual(range("2026-08-01", "2026-09-02"));
  });

  it("merges nothing while there are few partitions", () => {
    expect(mergeOf(named(daysFrom("2026-09-01", 60)), NOW, 60)).toBeUndefined();
  });

  it("merges the oldest month that is over", () => {
    const existing = named(daysFrom("2026-09-10", 75));
    const merge = mergeOf(existing, NOW, 60);
    expect(merge?.range).toEqual(range("2026-09-10", "2026-10-01"));
    expect(merge?.sources).toHaveLength(21);
  });

  it("does not merge a month that ended less than a week ago", () => {
    const now = new Date("2026-11-05T00:00:00Z");
    expect(mergeOf(named(daysFrom("2026-10-01", 31)), now, 5)).toBeUndefined();
  });

  it("merges months into years when no days are left to merge", () => {
    const months = Array.from({ length: 12 }, (_, month) => ({
      from: new Date(Date.UTC(2024, month)),
      to: new Date(Date.UTC(2024, month + 1)),
    }));
    const merge = mergeOf(named([...months, ...daysFrom("2026-11-10", 18)]), NOW, 20);
    expect(merge?.range).toEqual(range("2024-01-01", "2025-01-01"));
  });

  it("keeps three years of daily partitions near sixty, however often it runs", () => {
    let live: Partition[] = [];
    for (let index = 0; index < 3 * 365; index++) {
      const now = addDays(TODAY, index);
      live.push(...named([{ from: addDays(now, 7), to: addDays(now, 8) }]));
      for (;;) {
        const merge = mergeOf(live, now, 60);
        if (merge === undefined) break;
        live = [...live.filter((each) => !merge.sources.includes(each)), ...named([merge.range])].sort(
          (a, b) => a.from.getTime() - b.from.getTime(),
        );
      }
      expect(live.length).toBeLessThanOrEqual(60);
    }
  });
});

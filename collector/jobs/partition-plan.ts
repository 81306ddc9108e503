import type { DefaultRows, Partition, TimeRange } from "../../schema/partitions.ts";

const DAY_MS = 86_400_000;

/** Days this long past get monthly partitions when rows of them turn up in DEFAULT (an import): they would soon be merged anyway. */
const DAILY_DAYS = 35;

/** Days are merged into months only when this long over, so that late rows and reviews seldom meet a merge. */
const MERGE_AFTER_DAYS = 7;

export interface PlanInput {
  readonly existing: readonly TimeRange[];
  readonly defaultRows: readonly DefaultRows[];
  readonly now: Date;
  /** Days after today that get their partition in advance. */
  readonly aheadDays: number;
  /** So many rows of a day in DEFAULT earn the day a partition of its own. */
  readonly minRows: number;
}

/** The ranges that lack a partition, oldest first: today, the days ahead, and the days of which DEFAULT holds many rows. They never overlap. */
export function planPartitions({ existing, defaultRows, now, aheadDays, minRows }: PlanInput): TimeRange[] {
  const today = dayOf(now);
  const oldest = addDays(today, -DAILY_DAYS);
  const crowded = defaultRows.flatMap(({ day, rows }) => (day !== null && rows >= minRows ? [day] : []));
  const ahead = Array.from({ length: aheadDays + 1 }, (_, index) => addDays(today, index));
  const planned: TimeRange[] = [];
  for (const day of [...crowded, ...ahead].sort((a, b) => a.getTime() - b.getTime())) {
    const free = freePart(day < oldest ? monthOf(day) : { from: day, to: addDays(day, 1) }, day, [...existing, ...planned]);
    if (free !== undefined) planned.push(free);
  }
  return planned;
}

/** The part of `wanted` around `day` that no range takes already. */
function freePart(wanted: TimeRange, day: Date, taken: readonly TimeRange[]): TimeRange | undefined {
  if (taken.some((range) => range.from <= day && day < range.to)) return undefined;
  let { from, to } = wanted;
  for (const range of taken) {
    if (range.to <= day && range.to > from) from = range.to;
    if (range.from > day && range.from < to) to = range.from;
  }
  return { from, to };
}

export interface Merge {
  readonly sources: readonly Partition[];
  readonly range: TimeRange;
}

/**
 * What to merge when there are more than `maxLive` partitions: the oldest month that has several and is over, else the oldest such year.
 * Undefined where there is nothing to merge.
 */
export function planMerge(existing: readonly Partition[], now: Date, maxLive: number): Merge | undefined {
  if (existing.length <= maxLive) return undefined;
  const before = addDays(dayOf(now), -MERGE_AFTER_DAYS);
  for (const unit of [monthOf, yearOf]) {
    for (const { from } of existing) {
      const span = unit(from);
      const sources = existing.filter((partition) => partition.from >= span.from && partition.to <= span.to);
      const [first, last] = [sources[0], sources.at(-1)];
      if (span.to <= before && sources.length > 1 && first !== undefined && last !== undefined)
        return { sources, range: { from: first.from, to: last.to } };
    }
  }
  return undefined;
}

export const dayOf = (instant: Date): Date => new Date(Math.floor(instant.getTime() / DAY_MS) * DAY_MS);

export const addDays = (instant: Date, days: number): Date => new Date(instant.getTime() + days * DAY_MS);

const monthOf = (instant: Date): TimeRange => ({
  from: new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth())),
  to: new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth() + 1)),
});

const yearOf = (instant: Date): TimeRange => ({
  from: new Date(Date.UTC(instant.getUTCFullYear(), 0)),
  to: new Date(Date.UTC(instant.getUTCFullYear() + 1, 0)),
});

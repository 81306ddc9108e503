import type { DefaultRows, Partition, TimeRange } from "../../schema/partitions.ts";

const DAY_MS = 86_400_000;

/** Days this long past get wider partitions when rows of them turn up in DEFAULT (an import): they would soon be merged anyway. */
const DAILY_DAYS = 35;

/** So many partitions for what is long past are made at once; whoever sends rows of thousands of days gets wider ones. */
const OLD_AT_ONCE = 12;

/** Days are merged into months only when this long over, so that late rows and reviews seldom meet a merge. */
const MERGE_AFTER_DAYS = 7;

/** The year after the last that OTLP has numbers for. */
const END_OF_TIME = new Date("2555-01-01T00:00:00Z");

export interface PlanInput {
  readonly existing: readonly TimeRange[];
  readonly defaultRows: readonly DefaultRows[];
  readonly now: Date;
  /** Days after today that get their partition in advance. */
  readonly aheadDays: number;
  /** So many rows of a past day (or month, …) in DEFAULT earn it a partition of its own. */
  readonly minRows: number;
  /** With more rows than this in DEFAULT it is a burden; those of later days get partitions, too, but a few wide ones. */
  readonly rebuildRows: number;
  /** With more partitions than this none are made but today's and those ahead, until others have been merged. */
  readonly maxLive: number;
}

/**
 * The ranges that lack a partition, oldest first; they never overlap. Today and the days ahead; past days of which DEFAULT holds many rows, and wider
 * ranges where they are long past. Days further ahead wait in DEFAULT until they come near: senders with wrong clocks make no partitions of days.
 */
export function planPartitions(input: PlanInput): TimeRange[] {
  const { existing, now, minRows, rebuildRows } = input;
  const today = dayOf(now);
  const end = aheadEnd(now, input.aheadDays);
  const ahead = daysBetween(today, end).filter((day) => !existing.some((range) => contains(range, day.from)));
  if (existing.length > input.maxLive) return ahead;
  const taken = [...existing, ...ahead];
  const waiting = input.defaultRows.flatMap(({ day, rows }) => (day === null ? [] : [{ day, rows }]));
  const oldest = addDays(today, -DAILY_DAYS);

  const recentDays = waiting.filter(({ day }) => oldest <= day && day < today);
  const recent = freeParts(recentDays, dayRange, taken).filter(({ rows }) => rows >= minRows);
  // Wide ranges end where days begin to be daily.
  const daily = { from: monthOf(oldest).to, to: END_OF_TIME };
  const old = planOld(
    waiting.filter(({ day }) => day < oldest),
    { taken: [...taken, ...recent, daily], minRows, rebuildRows },
  );
  const pieces = piecesOf({ from: end, to: END_OF_TIME });
  const laterDays = waiting.filter(({ day }) => end <= day && day < END_OF_TIME);
  const later = freeParts(laterDays, (day) => pieces.find((piece) => contains(piece, day)) ?? dayRange(day), taken);
  const planned = [...ahead, ...recent, ...old, ...later.filter(({ rows }) => rows > rebuildRows)];
  return planned.map(({ from, to }) => ({ from, to })).sort((a, b) => a.from.getTime() - b.from.getTime());
}

interface WaitingRows {
  readonly day: Date;
  readonly rows: number;
}

interface FreePart extends TimeRange {
  /** Rows of it in DEFAULT. */
  rows: number;
}

interface OldInput extends Pick<PlanInput, "minRows" | "rebuildRows"> {
  readonly taken: readonly TimeRange[];
}

/** Months with many rows; years, decades or all of the past where that were too many partitions or left too many rows in DEFAULT. */
function planOld(days: readonly WaitingRows[], { taken, minRows, rebuildRows }: OldInput): FreePart[] {
  let crowded: FreePart[] = [];
  for (const unit of [monthOf, yearOf, decadeOf, () => ({ from: new Date(0), to: END_OF_TIME })]) {
    const parts = freeParts(days, unit, taken);
    crowded = parts.filter(({ rows }) => rows >= minRows);
    if (crowded.length <= OLD_AT_ONCE && totalRows(parts) - totalRows(crowded) <= rebuildRows) return crowded;
  }
  return crowded.sort((a, b) => b.rows - a.rows).slice(0, OLD_AT_ONCE);
}

/** The parts of units that days with rows lie in and no range takes already. */
function freeParts(days: readonly WaitingRows[], unitOf: (day: Date) => TimeRange, taken: readonly TimeRange[]): FreePart[] {
  const parts: FreePart[] = [];
  let last: FreePart | undefined;
  // In their order, so that a part is looked for once and not for each of its days: senders may have sent rows of 200,000 days.
  for (const { day, rows } of days.toSorted((a, b) => a.day.getTime() - b.day.getTime())) {
    if (last === undefined || day >= last.to) {
      const part = freePart(unitOf(day), day, taken);
      if (part === undefined) continue;
      last = { ...part, rows: 0 };
      parts.push(last);
    }
    last.rows += rows;
  }
  return parts;
}

const totalRows = (parts: readonly { rows: number }[]): number => parts.reduce((sum, { rows }) => sum + rows, 0);

/** The part of `wanted` around `day` that no range takes already. */
function freePart(wanted: TimeRange, day: Date, taken: readonly TimeRange[]): TimeRange | undefined {
  if (taken.some((range) => contains(range, day))) return undefined;
  let { from, to } = wanted;
  for (const range of taken) {
    if (range.to <= day && range.to > from) from = range.to;
    if (range.from > day && range.from < to) to = range.from;
  }
  return { from, to };
}

export interface Split {
  readonly source: Partition;
  /** They cover all of the source. */
  readonly parts: readonly TimeRange[];
}

/** Wide partitions for later days that today or a day ahead has reached: each such day is to have its own. */
export function planSplits(existing: readonly Partition[], now: Date, aheadDays: number): Split[] {
  const [today, end] = [dayOf(now), aheadEnd(now, aheadDays)];
  return existing
    .filter(({ from, to }) => from < end && to > today && to.getTime() - from.getTime() > DAY_MS)
    .map((source) => {
      const past = source.from < today ? [{ from: source.from, to: today }] : [];
      const days = daysBetween(latest(source.from, today), earliest(source.to, end));
      return { source, parts: [...past, ...days, ...(source.to > end ? piecesOf({ from: end, to: source.to }) : [])] };
    });
}

/** The rest of its month, the rest of its year, and all that is later: few partitions, and the ones that days are soon cut off from are short. */
function piecesOf({ from, to }: TimeRange): TimeRange[] {
  const cuts = [from, monthOf(from).to, yearOf(from).to, to].filter((cut) => cut <= to);
  return cuts.slice(1).flatMap((cut, index) => {
    const start = cuts[index] as Date;
    return start < cut ? [{ from: start, to: cut }] : [];
  });
}

export interface Merge {
  readonly sources: readonly Partition[];
  readonly range: TimeRange;
}

export interface MergeInput extends Pick<PlanInput, "now" | "aheadDays" | "maxLive"> {
  readonly existing: readonly Partition[];
  /** Merges that cannot be done. */
  readonly refused?: (merge: Merge) => boolean;
}

/**
 * What to merge when there are more than `maxLive` partitions: the oldest month that has several and is over (or is not yet near), else the oldest such
 * year, such decade, else the neighbours that cover the least time. Undefined where there is nothing to merge.
 */
export function planMerge({ existing, now, aheadDays, maxLive, refused = () => false }: MergeInput): Merge | undefined {
  if (existing.length <= maxLive) return undefined;
  const [before, end] = [addDays(dayOf(now), -MERGE_AFTER_DAYS), aheadEnd(now, aheadDays)];
  const isStill = ({ from, to }: TimeRange): boolean => to <= before || from >= end;
  const mergeOf = (sources: readonly Partition[]): Merge[] => {
    const [first, last] = [sources[0], sources.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    const merge = { sources, range: { from: first.from, to: last.to } };
    return refused(merge) ? [] : [merge];
  };
  for (const unit of [monthOf, yearOf, decadeOf]) {
    for (const { from } of existing) {
      const span = unit(from);
      if (!isStill(span)) continue;
      const [merge] = mergeOf(existing.filter((partition) => partition.from >= span.from && partition.to <= span.to));
      if (merge !== undefined) return merge;
    }
  }
  const isMonthOver = ({ to }: TimeRange): boolean => monthOf(new Date(to.getTime() - 1)).to <= before;
  const pairs = existing.slice(1).flatMap((second, index) => {
    const first = existing[index] as Partition;
    return isMonthOver(second) || first.from >= end ? mergeOf([first, second]) : [];
  });
  return pairs.sort((a, b) => widthOf(a.range) - widthOf(b.range))[0];
}

export const dayOf = (instant: Date): Date => new Date(Math.floor(instant.getTime() / DAY_MS) * DAY_MS);

export const addDays = (instant: Date, days: number): Date => new Date(instant.getTime() + days * DAY_MS);

/** The end of the last day that gets its partition in advance. */
const aheadEnd = (now: Date, aheadDays: number): Date => addDays(dayOf(now), aheadDays + 1);

const contains = ({ from, to }: TimeRange, instant: Date): boolean => from <= instant && instant < to;

const widthOf = ({ from, to }: TimeRange): number => to.getTime() - from.getTime();

const earliest = (a: Date, b: Date): Date => (a < b ? a : b);

const latest = (a: Date, b: Date): Date => (a > b ? a : b);

const dayRange = (day: Date): TimeRange => ({ from: day, to: addDays(day, 1) });

const daysBetween = (from: Date, to: Date): TimeRange[] =>
  Array.from({ length: Math.max(0, (to.getTime() - from.getTime()) / DAY_MS) }, (_, index) => dayRange(addDays(from, index)));

const monthOf = (instant: Date): TimeRange => ({
  from: new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth())),
  to: new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth() + 1)),
});

const yearsFrom = (year: number, years: number): TimeRange => ({
  from: new Date(Date.UTC(year, 0)),
  to: new Date(Date.UTC(year + years, 0)),
});

const yearOf = (instant: Date): TimeRange => yearsFrom(instant.getUTCFullYear(), 1);

const decadeOf = (instant: Date): TimeRange => yearsFrom(Math.floor(instant.getUTCFullYear() / 10) * 10, 10);

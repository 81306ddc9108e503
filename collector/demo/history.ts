import { landmarks } from "./landmarks.ts";
import { countGenerations, type DemoTrace } from "./otlp.ts";
import { createRandom, type Random, seedOf } from "./random.ts";
import { EVERYDAY } from "./stories.ts";
import type { Story } from "./story.ts";

export const HISTORY_DAYS = 14;
const HOURS = HISTORY_DAYS * 24;
const NANOS_PER_HOUR = 3_600_000_000_000n;
/** Generations of an everyday trace on average, measured over a hundred thousand of them. */
const GENERATIONS_PER_TRACE = 3.5;

export interface HistoryOptions {
  /** About how many generations there shall be. */
  readonly rows: number;
  readonly seed: number;
  /** End of the history, in nanoseconds since 1970. */
  readonly end: bigint;
}

/** An everyday story, each as often as it says. */
export function pickStory(random: Random): Story {
  let dice = random.next();
  for (const [story, share] of EVERYDAY) {
    dice -= share;
    if (dice < 0) return story;
  }
  return EVERYDAY[0]![0];
}

/** How busy an hour is: a day has a long peak, a weekend little of it. */
function busyness(hour: number): number {
  const ofDay = hour % 24;
  const weekend = Math.floor(hour / 24) % 7 >= 5;
  return (0.08 + Math.max(0, Math.sin(((ofDay - 5) / 17) * Math.PI))) * (weekend ? 0.35 : 1);
}

/** `count` moments in hours since the begin of the history, in order, denser where it is busy. */
function* busyMoments(random: Random, count: number): Generator<number> {
  const weights = Array.from({ length: HOURS }, (_, hour) => busyness(hour));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let hour = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const wanted = ((i + random.next()) / count) * total;
    while (hour < HOURS - 1 && before + weights[hour]! < wanted) before += weights[hour++]!;
    yield hour + Math.min(1, (wanted - before) / weights[hour]!);
  }
}

/**
 * Two weeks of traces, in order of time except for the few that happen once and come last.
 * The same options give the same traces; another `end` moves them in time and changes nothing else.
 */
export function* history({ rows, seed, end }: HistoryOptions): Generator<DemoTrace> {
  const once = landmarks(createRandom(seedOf(seed, "landmarks")), end);
  const wanted = rows - once.reduce((sum, trace) => sum + countGenerations(trace), 0);
  const random = createRandom(seedOf(seed, "everyday"));
  const moments = busyMoments(createRandom(seedOf(seed, "moments")), Math.max(1, Math.round(wanted / GENERATIONS_PER_TRACE)));
  for (const hours of moments) {
    const start = end - BigInt(HOURS) * NANOS_PER_HOUR + BigInt(Math.round(hours * 3_600_000)) * 1_000_000n;
    // A trace takes up to a minute, and none may end in the future.
    const latest = end - 120_000_000_000n;
    yield pickStory(random)(random, { start: start < latest ? start : latest, daysAgo: HISTORY_DAYS - hours / 24 });
  }
  yield* once;
}

// An application that makes generations at a steady pace, recorded by one contestant, in a process of its own.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type ContestantName, startContestant } from "./contestants.ts";
import { createWorkload } from "./workload.ts";

/** What one run came to. */
export interface AppReport {
  readonly generations: number;
  /** Time spent in the caller for one generation, its start and its end together. */
  readonly callerMicros: { readonly p50: number; readonly p99: number; readonly max: number };
  /** CPU of the whole process for one generation. */
  readonly cpuMicros: number;
  readonly longestStallMillis: number;
  readonly heapMiB: number;
}

/** A simulated call takes longer than the delay of announcements, so that all are sent. */
const CALL_MS = 80;
const TICK_MS = 10;
/** Looking at the heap costs as much as some generations. */
const HEAP_EVERY = 300;
/** Generations that only warm up, at several times the pace: what V8 compiles in the first seconds of a process is no cost of a generation. */
const WARM_UP = 2_400;
const WARM_UP_PACE = 4;

const [name, url, perSecond, count] = process.argv.slice(2) as [ContestantName, string, string, string];
const generations = Number(count);
const perTick = (Number(perSecond) * TICK_MS) / 1000;
const work = createWorkload();
const recording = startContestant(name, url);
const callerMicros: number[] = [];
let heapBytes = 0;
let heapSeenAt = 0;

function begin(number: number): void {
  const given = work(number);
  const started = performance.now();
  const end = recording.begin(given);
  const began = performance.now() - started;
  setTimeout(() => {
    const ending = performance.now();
    end();
    callerMicros.push((began + performance.now() - ending) * 1000);
  }, CALL_MS);
}

/** Starts so many, as many each tick as this, and waits until they have ended. */
async function run(total: number, perTick: number): Promise<void> {
  const started = performance.now();
  heapSeenAt = 0;
  for (let begun = 0; begun < total; ) {
    const due = Math.min(total, Math.ceil(((performance.now() - started) / TICK_MS) * perTick));
    for (; begun < due; begun++) begin(begun);
    if (begun >= heapSeenAt) {
      heapSeenAt = begun + HEAP_EVERY;
      heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
    }
    await sleep(TICK_MS);
  }
  await sleep(CALL_MS * 2);
}

await run(WARM_UP, perTick * WARM_UP_PACE);
// What is still queued leaves before anything is measured.
await sleep(1_000);
callerMicros.length = 0;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const cpuBefore = process.cpuUsage();
await run(generations, perTick);
const cpu = process.cpuUsage(cpuBefore);
delay.disable();
await recording.stop();

const sorted = callerMicros.toSorted((a, b) => a - b);
const quantile = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const report: AppReport = {
  generations: sorted.length,
  callerMicros: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
  cpuMicros: (cpu.user + cpu.system) / generations,
  longestStallMillis: delay.max / 1e6,
  heapMiB: heapBytes / 1024 / 1024,
};
process.send?.(report, () => process.exit(0));

import { within } from "./within.ts";

export interface ScheduleOptions {
  /** One run; it should end soon after `stopping` aborts. A next one begins only after it has ended. */
  run(): Promise<unknown>;
  readonly everyMillis: number;
  /** Told why a run failed; not of those that were broken off by `stop`. */
  onError(error: unknown): void;
  /** Whether the first run is due at start, or only after the first interval. Default: at start. */
  readonly atOnce?: boolean;
  /** How many times as long as a run took nothing is due after it, so that long runs have only a part of the time. Default: 0. */
  readonly restPerRun?: number;
}

/** Something that is done again and again. */
export interface Schedule {
  /** Aborts when `stop` is called. */
  readonly stopping: AbortSignal;
  /** Runs by the clock from now on; a run that takes longer than the interval is followed by the next one that is due after it. */
  start(): void;
  /** Begins no run any more and resolves within two seconds, whatever is in progress. Safe before start and twice. */
  stop(): Promise<void>;
}

/** How long `stop` waits for a run: what it has done stays right, and what it leaves undone is found by the next collector. */
const STOP_MS = 2_000;

export function createSchedule({ run, everyMillis, onError, atOnce = true, restPerRun = 0 }: ScheduleOptions): Schedule {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let restedAt = 0;

  async function runTold(): Promise<void> {
    const began = performance.now();
    try {
      await run();
    } catch (error) {
      if (!stopping.signal.aborted) onError(error);
    } finally {
      const ended = performance.now();
      restedAt = ended + (ended - began) * restPerRun;
    }
  }

  function due(): void {
    if (performance.now() < restedAt) return;
    running ??= runTold().finally(() => {
      running = undefined;
    });
  }

  return {
    stopping: stopping.signal,
    start() {
      if (timer !== undefined || stopping.signal.aborted) return;
      timer = setInterval(due, everyMillis);
      timer.unref();
      if (atOnce) due();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await within(running ?? Promise.resolve(), STOP_MS).catch(() => {});
    },
  };
}

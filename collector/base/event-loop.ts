import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metrics } from "./metrics.ts";

const EVERY_MS = 5_000;
const RESOLUTION_MS = 10;
/** Nothing that the collector does on purpose takes so long in one go. */
const STALL_NANOS = 1e9;

/** Feeds the metrics of the event loop; the returned function ends it. A stall is counted, since one long one hardly moves a percentile. */
export function watchEventLoop(
  { eventLoopLag, eventLoopStalls }: Pick<Metrics, "eventLoopLag" | "eventLoopStalls">,
  everyMillis = EVERY_MS,
): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  function read(): void {
    eventLoopLag.set(delay.percentile(99) / 1e9);
    if (delay.max >= STALL_NANOS) eventLoopStalls.inc();
    delay.reset();
  }
  // After a stall this timer may be called before the one that measures, and a reset would hide what that one is about to see: when all timers have been called.
  const timer = setInterval(() => setImmediate(read), everyMillis);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}

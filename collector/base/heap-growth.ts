import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Two semi-spaces of 16 MiB. */
const ENOUGH_YOUNG_BYTES = 32 * 1024 * 1024;

/** How far above what was alive after a full collection the heap may grow until the next one, in per cent. */
const GROWTH_PERCENT = 60;

/**
 * Keeps V8's heap near what is alive, where it would take memory because the machine has it. Call the result to end it.
 *
 * What a request leaves behind lives about as long as its commit takes, so much of it is moved to the old generation; left to itself that tripled before it
 * was collected, at no gain in CPU. The space for young objects grew to its usual 128 MiB: its limit can only be given on the command line, its growth
 * factor at any time, so this looks after each collection (V8 also shrinks it now and then).
 */
export function limitHeapGrowth(): () => void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  let grows = true;
  const observer = new PerformanceObserver(() => {
    const space = getHeapSpaceStatistics().find((each) => each.space_name === "new_space");
    const mayGrow = space === undefined || space.space_size < ENOUGH_YOUNG_BYTES;
    if (mayGrow === grows) return;
    grows = mayGrow;
    setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ["gc"] });
  return () => observer.disconnect();
}

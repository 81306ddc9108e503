import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { watchEventLoop } from "../../../collector/base/event-loop.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";

it("counts a stall, also where the timer that reads is called before the one that measures", async () => {
  const metrics = createMetrics();
  const stop = watchEventLoop(metrics, 100);
  const stalls = async () => (await metrics.eventLoopStalls.get()).values[0]?.value;
  await sleep(150);
  for (let n = 1; n <= 3; n++) {
    // A timer of ours that is due at once makes all of ours come first.
    setTimeout(() => {}, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
    // A busy machine may add some.
    await expect.poll(stalls, { timeout: 20_000 }).toBeGreaterThanOrEqual(n);
  }
  stop();
});

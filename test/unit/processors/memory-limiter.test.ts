import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createMemoryLimiter, softLimitBytes } from "../../../collector/processors/memory-limiter.ts";

const MIB = 1024 * 1024;
const options = { check_interval: 1000, limit_mib: 100, limit_percentage: 0, spike_limit_mib: 0, spike_limit_percentage: 0 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("refuses above the soft limit and takes requests again below it", () => {
  let resident = 50 * MIB;
  const limiter = createMemoryLimiter(options, { residentBytes: () => resident, totalBytes: () => 1000 * MIB });
  vi.advanceTimersByTime(1000);
  expect(limiter.refuse()).toBeUndefined();
  resident = 81 * MIB;
  vi.advanceTimersByTime(1000);
  expect(limiter.refuse()).toMatchObject({ kind: "retryable", reason: "overload" });
  resident = 79 * MIB;
  vi.advanceTimersByTime(1000);
  expect(limiter.refuse()).toBeUndefined();
  limiter.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it("PRC-09 goes on with what it knew when memory cannot be looked at", () => {
  let resident = (): number => 90 * MIB;
  const limiter = createMemoryLimiter(options, { residentBytes: () => resident(), totalBytes: () => 1000 * MIB });
  vi.advanceTimersByTime(1000);
  resident = () => {
    throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
  };
  vi.advanceTimersByTime(1000);
  expect(limiter.refuse()).toMatchObject({ reason: "overload" });
  resident = () => 50 * MIB;
  vi.advanceTimersByTime(1000);
  expect(limiter.refuse()).toBeUndefined();
  limiter.stop();
});

it.each([
  ["a fifth of the limit is kept free by default", {}, 80],
  ["a spike size is taken off the limit", { spike_limit_mib: 30 }, 70],
  ["percentages are of the machine's memory", { limit_mib: 0, limit_percentage: 50, spike_limit_percentage: 10 }, 400],
])("%s", (_, given, expectedMib) => {
  expect(softLimitBytes({ ...options, ...given }, 1000 * MIB)).toBeCloseTo(expectedMib * MIB, -2);
});

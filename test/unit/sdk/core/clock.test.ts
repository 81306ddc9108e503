import { afterEach, describe, expect, it, vi } from "vitest";
import { hrTime, microsOf, nowMicros } from "../../../../sdk/core/clock.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("the clock", () => {
  it("never gives the same microsecond twice, so that the order of updates is never in doubt", () => {
    const times = Array.from({ length: 10_000 }, nowMicros);
    expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true);
    expect(times.every(Number.isSafeInteger)).toBe(true);
  });

  it("follows the system clock when that is set", () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(new Date("2031-01-01T00:00:00Z"));
    const later = nowMicros();
    vi.setSystemTime(new Date("2020-01-01T00:00:00Z"));
    const earlier = nowMicros();
    expect([new Date(later / 1000).getFullYear(), new Date(earlier / 1000).getFullYear()]).toEqual([2031, 2020]);
  });

  it("writes times exactly", () => {
    expect(hrTime(1_795_250_124_121_711)).toEqual([1_795_250_124, 121_711_000]);
    expect(hrTime(999_999)).toEqual([0, 999_999_000]);
  });

  it.each([
    [1_500, 1_500_000],
    [new Date(2), 2_000],
    [Number.NaN, undefined],
    [new Date(Number.NaN), undefined],
    ["now", undefined],
    [-1, undefined],
  ])("takes %s of an application as %s", (time, micros) => {
    expect(microsOf(time)).toBe(micros);
  });
});

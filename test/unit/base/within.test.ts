import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadlineError, within } from "../../../collector/base/within.ts";

describe("work with a deadline", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("gives what it gives when it is in time, and nothing is given up", async () => {
    const giveUp = vi.fn();
    await expect(within(Promise.resolve(7), 1_000, giveUp)).resolves.toBe(7);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(giveUp).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("fails as it fails when that is in time", async () => {
    await expect(within(Promise.reject(new Error("refused")), 1_000)).rejects.toThrow("refused");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is given up once when it is late, and its own late failure disturbs nobody", async () => {
    const giveUp = vi.fn();
    const work = Promise.withResolvers<never>();
    const answer = within(work.promise, 1_000, giveUp);
    answer.catch(() => {});
    await vi.advanceTimersByTimeAsync(999);
    expect(giveUp).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await expect(answer).rejects.toThrow(DeadlineError);
    work.reject(new Error("broken off"));
    await vi.advanceTimersByTimeAsync(1);
    expect(giveUp).toHaveBeenCalledOnce();
  });
});

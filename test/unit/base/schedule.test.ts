import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSchedule, type ScheduleOptions } from "../../../collector/base/schedule.ts";

const EVERY_MS = 10_000;
const STOP_MS = 2_000;

describe("a schedule", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const create = (more: Partial<ScheduleOptions> = {}) => {
    const run = vi.fn(async (): Promise<void> => {});
    const onError = vi.fn();
    return { run, onError, ...createSchedule({ run, onError, everyMillis: EVERY_MS, ...more }) };
  };

  it("runs nothing before it is started", async () => {
    const { run } = create();
    await vi.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect(run).not.toHaveBeenCalled();
  });

  it("runs at start and then once per interval", async () => {
    const { run, start } = create();
    start();
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(EVERY_MS - 1);
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1 + 2 * EVERY_MS);
    expect(run).toHaveBeenCalledTimes(4);
  });

  it("waits for the first interval where it is not to run at once", async () => {
    const { run, start } = create({ atOnce: false });
    start();
    await vi.advanceTimersByTimeAsync(EVERY_MS - 1);
    expect(run).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("runs no oftener when it is started twice", async () => {
    const { run, start } = create();
    start();
    start();
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("keeps no process alive", () => {
    const timers = vi.spyOn(globalThis, "setInterval");
    create().start();
    expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([false]);
    timers.mockRestore();
  });

  it("never has two runs at once, and piles none up behind one that takes long", async () => {
    const long = Promise.withResolvers<void>();
    const run = vi.fn(() => long.promise);
    const { start } = create({ run });
    start();
    await vi.advanceTimersByTimeAsync(5 * EVERY_MS);
    expect(run).toHaveBeenCalledTimes(1);
    long.resolve();
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("rests as long as it is told to after a run that took long", async () => {
    const runs = [25_000, 1_000, 1_000];
    const run = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, runs[run.mock.calls.length - 1])));
    create({ run, restPerRun: 2 }).start();
    await vi.advanceTimersByTimeAsync(25_000 + 2 * 25_000 - 1);
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(run).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(run).toHaveBeenCalledTimes(3);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["rejects", () => Promise.reject(new Error("no table"))],
    [
      "throws",
      () => {
        throw new Error("no table");
      },
    ],
  ])("tells why a run %s, and runs again", async (_, run) => {
    const { onError, start } = create({ run });
    start();
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(onError.mock.calls).toEqual([[new Error("no table")], [new Error("no table")]]);
  });

  describe("that is stopped", () => {
    it("begins no run any more, even when it is started again", async () => {
      const { run, start, stop, stopping } = create();
      start();
      await stop();
      start();
      await vi.advanceTimersByTimeAsync(3 * EVERY_MS);
      expect(run).toHaveBeenCalledTimes(1);
      expect(stopping.aborted).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("may be stopped before its start, and twice", async () => {
      const { run, start, stop } = create();
      await stop();
      await stop();
      start();
      expect(run).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    });

    it("waits for a run that heeds the signal", async () => {
      const ended = vi.fn();
      const { start, stop, stopping } = create({
        run: () =>
          new Promise<void>((resolve) => {
            stopping.addEventListener("abort", () =>
              setTimeout(() => {
                ended();
                resolve();
              }, STOP_MS / 2),
            );
          }),
      });
      start();
      const stopped = stop();
      await vi.advanceTimersByTimeAsync(STOP_MS / 2);
      await stopped;
      expect(ended).toHaveBeenCalledOnce();
      expect(vi.getTimerCount()).toBe(0);
    });

    it("waits two seconds at most for one that does not, and tells nothing of how that ends", async () => {
      const blocked = Promise.withResolvers<void>();
      const { onError, start, stop } = create({ run: () => blocked.promise });
      start();
      const stopped = vi.fn();
      const stopping = stop().then(stopped);
      await vi.advanceTimersByTimeAsync(STOP_MS - 1);
      expect(stopped).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      await stopping;
      blocked.reject(new Error("the connection was ended"));
      await vi.advanceTimersByTimeAsync(EVERY_MS);
      expect(onError).not.toHaveBeenCalled();
    });
  });
});

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createDeadlines } from "../../../collector/receivers/deadlines.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

it("are over after their time, each on its own, a fortieth of it late at most", () => {
  const deadlines = createDeadlines(8_000);
  const over: string[] = [];
  deadlines.start(() => over.push("first"));
  vi.advanceTimersByTime(5_000);
  deadlines.start(() => over.push("second"));
  vi.advanceTimersByTime(2_999);
  expect(over).toEqual([]);
  vi.advanceTimersByTime(201);
  expect(over).toEqual(["first"]);
  vi.advanceTimersByTime(5_000);
  expect(over).toEqual(["first", "second"]);
  expect(vi.getTimerCount()).toBe(0);
});

it("never come once stopped, and leave no timer behind", () => {
  const deadlines = createDeadlines(1_000);
  const over = vi.fn();
  deadlines.start(over).stop();
  vi.advanceTimersByTime(60_000);
  expect(over).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

it("do not come in a pause; one that was longer than the time gives the whole time anew, a shorter one nothing", () => {
  const deadlines = createDeadlines(1_000);
  const over: string[] = [];
  const [long, short] = [deadlines.start(() => over.push("long")), deadlines.start(() => over.push("short"))];
  long.pause();
  short.pause();
  vi.advanceTimersByTime(900);
  short.resume();
  vi.advanceTimersByTime(130);
  expect(over).toEqual(["short"]);
  vi.advanceTimersByTime(10_000);
  long.resume();
  vi.advanceTimersByTime(999);
  expect(over).toEqual(["short"]);
  vi.advanceTimersByTime(30);
  expect(over).toEqual(["short", "long"]);
});

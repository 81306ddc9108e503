import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWorkLimit } from "../../../collector/base/work-limit.ts";
import { createReadingTurns, type Turn } from "../../../collector/receivers/reading-turns.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LARGE = 600_000;
const turns = () => createReadingTurns(createWorkLimit({ maxBytes: 1_000_000, maxWaitMillis: 2_000 }));

function watched(entering: Promise<Turn>) {
  const state: { turn?: Turn } = {};
  void entering.then((turn) => {
    state.turn = turn;
  });
  return state;
}

describe("turns to read", () => {
  it("are given at once where there is room, and else when somebody leaves", async () => {
    const reading = turns();
    const first = await reading.enter(LARGE);
    first.arrived();
    const second = watched(reading.enter(LARGE));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(second.turn).toBeUndefined();
    first.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(second.turn).toBeDefined();
  });

  it("are given to small bodies whatever else is there", async () => {
    const reading = turns();
    await reading.enter(LARGE * 2);
    const small = watched(reading.enter(1_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(small.turn).toBeDefined();
    small.turn?.leave();
  });

  it("come after the longest wait in any case, and then hold nothing", async () => {
    const reading = turns();
    const first = await reading.enter(LARGE);
    first.arrived();
    const second = watched(reading.enter(LARGE));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(second.turn).toBeDefined();
    second.turn?.leave();
    const third = watched(reading.enter(LARGE));
    await vi.advanceTimersByTimeAsync(0);
    expect(third.turn).toBeUndefined();
  });

  it("are not held by a body that is slow to come", async () => {
    const reading = turns();
    const slow = await reading.enter(LARGE);
    const second = watched(reading.enter(LARGE));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(second.turn).toBeDefined();
    slow.arrived();
    slow.leave();
    const third = watched(reading.enter(LARGE));
    await vi.advanceTimersByTimeAsync(0);
    expect(third.turn).toBeUndefined();
  });

  it("leave no timer behind", async () => {
    const turn = await turns().enter(LARGE);
    turn.leave();
    turn.leave();
    expect(vi.getTimerCount()).toBe(0);
  });
});

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWorkLimit } from "../../../collector/base/work-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What became of a wait so far. */
function watched(waiting: Promise<boolean>) {
  const state = { is: "waiting" as boolean | "waiting" };
  void waiting.then((hasRoom) => {
    state.is = hasRoom;
  });
  return state;
}

describe("a work limit", () => {
  it("lets in as much as fits, and the next one when room is given back", async () => {
    const limit = createWorkLimit({ maxBytes: 100, maxWaitMillis: 1_000 });
    expect([limit.take(60), limit.take(40), limit.take(1)]).toEqual([true, true, false]);
    const next = watched(limit.wait(50));
    limit.give(40);
    await vi.advanceTimersByTimeAsync(0);
    expect(next.is).toBe("waiting");
    limit.give(60);
    await vi.advanceTimersByTimeAsync(0);
    expect(next.is).toBe(true);
  });

  it("gives turns in the order of arrival: nobody small overtakes somebody large", async () => {
    const limit = createWorkLimit({ maxBytes: 100, maxWaitMillis: 1_000 });
    limit.take(80);
    const [large, small] = [watched(limit.wait(90)), watched(limit.wait(10))];
    expect(limit.take(1)).toBe(false);
    await vi.advanceTimersByTimeAsync(0);
    expect([large.is, small.is]).toEqual(["waiting", "waiting"]);
    limit.give(80);
    await vi.advanceTimersByTimeAsync(0);
    expect([large.is, small.is]).toEqual([true, true]);
  });

  it("lets something larger than itself in alone", () => {
    const limit = createWorkLimit({ maxBytes: 100, maxWaitMillis: 1_000 });
    expect([limit.take(500), limit.take(1)]).toEqual([true, false]);
    limit.give(500);
    expect(limit.take(1)).toBe(true);
  });

  it("says no when the turn does not come in time, and those behind move up", async () => {
    const limit = createWorkLimit({ maxBytes: 100, maxWaitMillis: 1_000 });
    limit.take(90);
    const large = watched(limit.wait(90));
    await vi.advanceTimersByTimeAsync(600);
    const small = watched(limit.wait(10));
    await vi.advanceTimersByTimeAsync(400);
    expect([large.is, small.is]).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(small.is).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("never holds more than its limit, unless one alone does, and lets everybody in at last", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 40 }), async (sizes) => {
        const limit = createWorkLimit({ maxBytes: 100, maxWaitMillis: 1e9 });
        const inside: number[] = [];
        let done = 0;
        const work = async (bytes: number, i: number): Promise<void> => {
          if (!limit.take(bytes)) expect(await limit.wait(bytes)).toBe(true);
          inside.push(bytes);
          if (inside.length > 1) expect(inside.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(100);
          await new Promise((resolve) => setTimeout(resolve, (i * 7) % 11));
          inside.splice(inside.indexOf(bytes), 1);
          limit.give(bytes);
          done++;
        };
        const all = Promise.all(sizes.map(work));
        await vi.advanceTimersByTimeAsync(1_000);
        await all;
        expect(done).toBe(sizes.length);
      }),
    );
  });
});

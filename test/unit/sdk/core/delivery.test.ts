import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDelivery, type FlushResult } from "../../../../sdk/core/delivery.ts";
import { DEFAULT_LIMITS, type TracingLimits, type TracingProblem } from "../../../../sdk/core/options.ts";
import { createProblems } from "../../../../sdk/core/problems.ts";
import type { Sender, SendResult } from "../../../../sdk/core/sender.ts";
import { recordOf } from "../../../support/sdk/records.ts";

const ACCEPTED: SendResult = { kind: "accepted" };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance", "Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A delivery over a sender that answers as `answer` says, by the number of the request from 1. */
function rig(answer: (names: readonly string[], number: number) => SendResult | Promise<SendResult>, limits: Partial<TracingLimits> = {}) {
  const sent: { names: string[]; atMillis: number }[] = [];
  const problems: TracingProblem[] = [];
  const sender: Sender = {
    async send(spans) {
      const names = spans.map(({ name }) => name);
      sent.push({ names, atMillis: performance.now() });
      return answer(names, sent.length);
    },
    headers: () => ({}),
    shutdown: async () => {},
  };
  const delivery = createDelivery({
    sender,
    limits: { ...DEFAULT_LIMITS, ...limits },
    problems: createProblems((problem) => problems.push(problem)),
  });
  const push = (...names: string[]): void => {
    for (const name of names) delivery.push(recordOf(name, { "gen_ai.input.messages": "x".repeat(100) }));
  };
  return { delivery, sent, problems, push, names: () => sent.map(({ names }) => names) };
}

describe("a delivery", () => {
  it("gathers what comes shortly after each other into one request", async () => {
    const { push, names } = rig(() => ACCEPTED);
    push("a", "b");
    expect(names()).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    push("c");
    await vi.advanceTimersByTimeAsync(200);
    expect(names()).toEqual([["a", "b", "c"]]);
  });

  it("never sends within the call that pushes, however full it is", async () => {
    const { push, names } = rig(() => ACCEPTED, { exportRecords: 2 });
    push("a", "b", "c", "d", "e");
    expect(names()).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(names().slice(0, 2)).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  it("makes one request at a time", async () => {
    let open = 0;
    let most = 0;
    const { delivery, push } = rig(
      async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 30));
        open--;
        return ACCEPTED;
      },
      { exportRecords: 1 },
    );
    push("a", "b", "c");
    const flushed = delivery.flush(1_000);
    await vi.advanceTimersByTimeAsync(500);
    expect([(await flushed).complete, most]).toEqual([true, 1]);
  });

  it("SDK-02 waits as long as Retry-After asks, also when a flush would rather not, and sends the same again", async () => {
    const { delivery, push, names, sent } = rig((_, number) =>
      number === 1 ? { kind: "retry", afterMillis: 20_000, reason: "the collector answered 503" } : ACCEPTED,
    );
    push("a");
    const flushed = delivery.flush(60_000);
    await vi.advanceTimersByTimeAsync(19_900);
    void delivery.flush(1_000);
    await vi.advanceTimersByTimeAsync(50);
    expect(names()).toEqual([["a"]]);
    await vi.advanceTimersByTimeAsync(200);
    expect(names()).toEqual([["a"], ["a"]]);
    expect(sent[1]!.atMillis - sent[0]!.atMillis).toBeGreaterThanOrEqual(20_000);
    expect((await flushed).complete).toBe(true);
    expect(delivery.stats()).toMatchObject({ exported: 1, retried: 1, dropped: 0 });
  });

  it("SDK-02 gives up what the collector refuses for good, and says so", async () => {
    const { delivery, push, problems } = rig(() => ({ kind: "refused", reason: "the collector answered 400" }));
    push("a", "b");
    const flushed = delivery.flush(1_000);
    await vi.advanceTimersByTimeAsync(100);
    expect((await flushed).complete).toBe(true);
    expect(delivery.stats()).toMatchObject({ queued: 0, exported: 0, dropped: 2, retried: 0 });
    expect(problems).toEqual([{ kind: "rejected", message: "the collector answered 400; 2 records are given up", count: 2 }]);
  });

  it("SDK-02 splits what is too large until it fits; a record that is too large alone goes without its content", async () => {
    const seen: unknown[] = [];
    const { delivery, push, names, problems } = rig((batch) =>
      batch.length > 1 || batch[0] === "huge" ? { kind: "too-large" } : ACCEPTED,
    );
    push("a", "b", "huge");
    const flushed = delivery.flush(1_000);
    await vi.advanceTimersByTimeAsync(100);
    seen.push(await flushed);
    expect(names()).toEqual([["a", "b", "huge"], ["a", "b"], ["a"], ["b"], ["huge"], ["huge"]]);
    expect(delivery.stats()).toMatchObject({ exported: 2, dropped: 1, contentDropped: 1 });
    expect(problems[0]?.message).toBe("the collector finds a record too large: it goes without its content");
  });

  it("SDK-02 tells of a partial success once and does not send again", async () => {
    const { delivery, push, names, problems } = rig(() => ({ kind: "accepted", partial: { rejectedSpans: 1 } }));
    push("a", "b", "c");
    const flushed = delivery.flush(1_000);
    await vi.advanceTimersByTimeAsync(100);
    await flushed;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(names()).toHaveLength(1);
    expect(delivery.stats()).toMatchObject({ exported: 2, dropped: 1 });
    expect(problems.map(({ kind }) => kind)).toEqual(["partial-success"]);
  });

  it("SDK-01 a collector that is down for a minute gets afterwards everything that the queue could hold", async () => {
    let isDown = true;
    const { delivery, push, names, problems } = rig((batch) =>
      isDown && batch.length > 0 ? { kind: "retry", reason: "the collector could not be reached" } : ACCEPTED,
    );
    const made: string[] = [];
    for (let second = 0; second < 60; second++) {
      const names = Array.from({ length: 100 }, (_, i) => `${second}-${i}`);
      made.push(...names);
      push(...names);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    const tries = names().length;
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(20);
    expect(delivery.stats()).toMatchObject({ queued: 6_000, exported: 0, dropped: 0 });
    isDown = false;
    const flushed = delivery.flush(60_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await flushed).complete).toBe(true);
    expect(names().slice(tries).flat()).toEqual(made);
    expect(problems.at(-1)?.kind).toBe("export-failed");
  });

  it("SDK-01 keeps the newest within its bound while the collector is down, and counts what it gave up", async () => {
    let isDown = true;
    const { delivery, push, names } = rig(() => (isDown ? { kind: "retry", reason: "down" } : ACCEPTED), { queueRecords: 100 });
    for (let i = 0; i < 250; i++) {
      push(`r${i}`);
      await vi.advanceTimersByTimeAsync(10);
    }
    const { dropped, queued } = delivery.stats();
    expect([queued, dropped]).toEqual([100, 150]);
    isDown = false;
    const before = names().length;
    const flushed = delivery.flush(60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    await flushed;
    expect(names().slice(before).flat()).toEqual(Array.from({ length: 100 }, (_, i) => `r${i + 150}`));
  });

  it("a flush ends at its time-out while nobody answers, and tells what remains", async () => {
    const { delivery, push } = rig(() => new Promise(() => {}));
    push("a", "b");
    const flushed = delivery.flush(500);
    await vi.advanceTimersByTimeAsync(500);
    expect(await flushed).toEqual({ complete: false, remaining: 2 });
  });

  it("a flush waits for what was there when it was called, not for what keeps coming", async () => {
    const { delivery, push } = rig(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return ACCEPTED;
    });
    push("a");
    let done = false;
    void delivery.flush(60_000).then(() => {
      done = true;
    });
    for (let i = 0; i < 20 && !done; i++) {
      push(`later-${i}`);
      await vi.advanceTimersByTimeAsync(25);
    }
    expect(done).toBe(true);
  });

  it("a flush does not take what is withdrawn after it was called for what it waits for", async () => {
    let answer = (_result: SendResult): void => {};
    const { delivery, push } = rig(() => new Promise((resolve) => (answer = resolve)));
    push("under way");
    await vi.advanceTimersByTimeAsync(300);
    let result: FlushResult | undefined;
    void delivery.flush(60_000).then((given) => {
      result = given;
    });
    const withdrawn = ["one", "two", "three"].map((name) => delivery.push(recordOf(name, {})));
    push("kept");
    for (const entry of withdrawn) delivery.cancel(entry);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([result, delivery.stats().queued]).toEqual([undefined, 2]);
    answer(ACCEPTED);
    await vi.advanceTimersByTimeAsync(0);
    expect(result).toEqual({ complete: true, remaining: 1 });
  });

  it("two flushes at once each wait for their own", async () => {
    const answers: ((result: SendResult) => void)[] = [];
    const { delivery, push } = rig(() => new Promise((resolve) => void answers.push(resolve)));
    const done: string[] = [];
    push("early");
    void delivery.flush(60_000).then(() => done.push("first"));
    await vi.advanceTimersByTimeAsync(10);
    push("late");
    void delivery.flush(60_000).then(() => done.push("second"));
    answers[0]?.(ACCEPTED);
    await vi.advanceTimersByTimeAsync(10);
    expect(done).toEqual(["first"]);
    answers[1]?.(ACCEPTED);
    await vi.advanceTimersByTimeAsync(10);
    expect(done).toEqual(["first", "second"]);
  });

  it("takes nothing after its shutdown", async () => {
    const { delivery, push, names } = rig(() => ACCEPTED);
    push("a");
    const stopped = delivery.shutdown(1_000);
    await vi.advanceTimersByTimeAsync(100);
    expect((await stopped).complete).toBe(true);
    push("b");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(names()).toEqual([["a"]]);
  });

  it("hands over what is not known to have arrived, for a last try", async () => {
    const { delivery, push } = rig(() => new Promise(() => {}), { exportRecords: 1 });
    push("under way", "waiting");
    await vi.advanceTimersByTimeAsync(300);
    expect(delivery.takeAll().map(({ name }) => name)).toEqual(["under way", "waiting"]);
  });
});

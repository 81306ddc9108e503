import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { createBackoff, createLink } from "../../../collector/exporters/postgres/link.ts";
import type { WriterConnection } from "../../../collector/exporters/postgres/writer-connection.ts";

interface FakeConnection extends WriterConnection {
  lose(): void;
}

function fakeConnection(): FakeConnection {
  const { promise, resolve } = Promise.withResolvers<void>();
  let alive = true;
  const lose = (): void => {
    alive = false;
    resolve();
  };
  return {
    get alive() {
      return alive;
    },
    lost: promise,
    lose,
    destroy: lose,
    close: () => Promise.resolve(lose()),
    run: () => Promise.resolve([]),
    query: () => Promise.resolve([]),
  };
}

const silent = { onUp: () => {}, onDown: () => {} };

describe("the back-off", () => {
  /** When `sessions` that always fail at once try, over `millis`. */
  function attemptsOver(millis: number, sessions: number): number[] {
    const backoff = createBackoff(() => 0);
    const due = Array.from({ length: sessions }, () => backoff.book(0));
    const attempts: number[] = [];
    for (let now = Math.min(...due); now < millis; now = Math.min(...due)) {
      attempts.push(now);
      backoff.failed(now);
      due[due.indexOf(now)] = now + backoff.book(now);
    }
    return attempts;
  }

  it.each([2, 16])("DBF-04 leaves fewer than five attempts a second to %i sessions together, and never gives up", (sessions) => {
    const afterFirst = attemptsOver(60_000, sessions).slice(sessions);
    const inOneSecond = afterFirst.map((at) => afterFirst.filter((other) => other >= at && other < at + 1_000).length);
    expect(afterFirst.length).toBeGreaterThan(20);
    expect(Math.max(...inOneSecond)).toBeLessThan(5);
  });

  it("starts over after a commit", () => {
    const backoff = createBackoff();
    for (let i = 0; i < 8; i++) backoff.failed(0);
    expect(backoff.book(0)).toBeGreaterThan(1_000);
    backoff.succeeded();
    expect(backoff.book(0)).toBe(0);
  });
});

describe("a link", () => {
  it("opens a session by itself and a new one when that is lost", async () => {
    const made: FakeConnection[] = [];
    const connect = () => {
      made.push(fakeConnection());
      return Promise.resolve(made.at(-1)!);
    };
    const link = createLink({ ...silent, connect, backoff: createBackoff() });
    const first = await link.session();
    expect(link.up()).toBe(true);
    made[0]!.lose();
    expect(link.up()).toBe(false);
    const second = await link.session();
    expect(second).not.toBe(first);
    expect(second.alive).toBe(true);
    await link.stop();
  });

  it("is down while the server turns it away, and reports each failure", async () => {
    const onDown = vi.fn();
    const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    const link = createLink({ ...silent, onDown, connect: () => Promise.reject(refused), backoff: createBackoff() });
    await sleep(20);
    expect(link.up()).toBe(false);
    expect(onDown).toHaveBeenCalledExactlyOnceWith(refused);
    await link.stop();
    await expect(link.session()).rejects.toThrow("stopped");
  });

  it("stops in bounded time while an attempt hangs, and cuts the attempt short", async () => {
    let cut = false;
    const connect = (signal: AbortSignal) => {
      signal.addEventListener("abort", () => {
        cut = true;
      });
      return new Promise<WriterConnection>(() => {});
    };
    const link = createLink({ ...silent, connect, backoff: createBackoff() });
    await sleep(5);
    const began = performance.now();
    await link.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(cut).toBe(true);
  });
});

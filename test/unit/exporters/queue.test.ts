import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sharedBuffers } from "../../../collector/base/buffer-pool.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import type { Batch } from "../../../collector/exporters/postgres/batch.ts";
import { gatherRows } from "../../../collector/exporters/postgres/gather.ts";
import { emptyMarks, markStored } from "../../../collector/exporters/postgres/marks.ts";
import { createQueue, type Queue } from "../../../collector/exporters/postgres/queue.ts";
import { encodedRequest, span } from "../../support/encoded-request.ts";

const metrics = createMetrics();
const always = (): boolean => true;
const queueOf = (change: Partial<Parameters<typeof createQueue>[0]> = {}): Queue =>
  createQueue({ maxBatchBytes: 1e6, maxBatchRows: 100, maxPendingBytes: 1e6, writeDeadlineMillis: 5_000, metrics, ...change });

const request = (count: number, sizeBytes = 100) => {
  const items = Array.from({ length: count }, (_, i) => span(`${count}/${i}`));
  return encodedRequest(items, { sizeBytes });
};

/** Answers as if the whole batch had been stored. */
function commit(queue: Queue, batch: Batch): void {
  const marks = emptyMarks();
  for (const table of gatherRows(batch.parts, "fresh")) markStored(marks, table, table.rows);
  queue.written(batch.parts, marks);
  queue.release(batch);
}

const pendingBytes = async (): Promise<number> => (await metrics.pendingBytes.get()).values[0]!.value;

describe("the queue", () => {
  it("gathers what comes in one turn of the event loop, and then what comes while that is written, into one batch each", async () => {
    const queue = queueOf();
    const first = queue.take(always);
    const answers = [queue.add(request(1)), queue.add(request(2))];
    expect((await first)?.parts.map((part) => part.toItem)).toEqual([1, 2]);
    answers.push(queue.add(request(3)));
    await turn();
    answers.push(queue.add(request(4)));
    commit(queue, (await first)!);
    const second = await queue.take(always);
    expect(second?.parts.map((part) => part.toItem)).toEqual([3, 4]);
    commit(queue, second!);
    expect((await Promise.all(answers)).map((answer) => answer.kind === "committed" && answer.stored)).toEqual([1, 2, 3, 4]);
  });

  it("gives a batch with many rows or bytes, or a full one, to a second worker while another one is being written", async () => {
    const many = {
      rows: [request(64)],
      bytes: [encodedRequest([span("long", { name: "x".repeat(300_000) })])],
      full: [request(1), request(4)],
    };
    for (const [name, requests] of Object.entries(many)) {
      const queue = queueOf(name === "full" ? { maxBatchRows: 4 } : {});
      void queue.add(request(1));
      await queue.take(always);
      let taken: Batch | undefined;
      void queue.take(always).then((batch) => {
        taken = batch;
      });
      for (const each of requests) void queue.add(each);
      await turn();
      expect([name, taken?.rows]).toEqual([name, requests[0]!.received]);
      await queue.drain(0);
    }
  });

  it("lets a small batch wait for no more than a moment for those that are not written", async () => {
    const queue = queueOf();
    for (const rows of [2, 99, 3]) void queue.add(request(rows));
    const taken = [await queue.take(always), await queue.take(always), await queue.take(always)];
    expect(taken.map((batch) => batch?.rows)).toEqual([2, 99, 3]);
    void queue.add(request(4));
    expect((await queue.take(always))?.rows).toBe(4);
    await queue.drain(0);
  });

  it("answers nobody before the last part of the request is written", async () => {
    const queue = queueOf({ maxBatchRows: 4 });
    let answered = false;
    const answer = queue.add(request(10)).then((result) => {
      answered = true;
      return result;
    });
    const batches = [await queue.take(always), await queue.take(always), await queue.take(always)];
    for (const batch of batches.slice(0, 2)) commit(queue, batch!);
    await sleep(1);
    expect(answered).toBe(false);
    commit(queue, batches[2]!);
    expect(await answer).toEqual({ kind: "committed", stored: 10, duplicates: 0, conflicting: 0, refused: [] });
  });

  it("gives a request's memory back when its last part is written, not already when it is answered", async () => {
    const queue = queueOf({ maxBatchRows: 4, writeDeadlineMillis: 10 });
    const raw = sharedBuffers.take(64 * 1024);
    const idleBytes = sharedBuffers.idleBytes;
    const answer = queue.add({ ...request(12), raw });
    const batches = [await queue.take(always), await queue.take(always), await queue.take(always)];
    expect(await answer).toMatchObject({ kind: "failed" });
    for (const batch of batches.slice(0, 2)) queue.release(batch!);
    expect(sharedBuffers.idleBytes).toBe(idleBytes);
    queue.release(batches[2]!);
    expect(sharedBuffers.idleBytes).toBe(idleBytes + 64 * 1024);
  });

  it("counts what is neither stored nor refused as duplicate", async () => {
    const queue = queueOf();
    const answer = queue.add(encodedRequest([span("a"), span("b"), span("a")], { refusedItems: [{ item: 1, reason: "bad id" }] }));
    const batch = (await queue.take(always))!;
    const marks = emptyMarks();
    const [spans] = gatherRows(batch.parts, "fresh");
    markStored(marks, spans!, [spans!.rows[0]!]);
    queue.written(batch.parts, marks);
    expect(await answer).toMatchObject({ stored: 1, duplicates: 1, refused: [{ item: 1, reason: "bad id" }] });
  });

  it("MEM-01 refuses what exceeds the bound on pending bytes, and takes requests again when memory is free", async () => {
    const queue = queueOf({ maxPendingBytes: 250 });
    const answers = [queue.add(request(1)), queue.add(request(1))];
    expect(await queue.add(request(1))).toMatchObject({ kind: "failed", reason: "overload" });
    commit(queue, (await queue.take(always))!);
    await Promise.all(answers);
    expect(await pendingBytes()).toBe(0);
    void queue.add(request(1));
    expect(await pendingBytes()).toBe(100);
    await queue.drain(0);
  });

  it("takes a request that is larger than the bound when nothing else waits", async () => {
    const queue = queueOf({ maxPendingBytes: 250 });
    const answer = queue.add(request(1, 1_000));
    commit(queue, (await queue.take(always))!);
    expect((await answer).kind).toBe("committed");
  });

  it("answers within the deadline although nobody takes the batch, and forgets its memory", async () => {
    const queue = queueOf({ writeDeadlineMillis: 80 });
    const began = performance.now();
    expect(await queue.add(request(1))).toMatchObject({ kind: "failed", reason: "database" });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(await pendingBytes()).toBe(0);
  });

  it("keeps counting the memory of a batch that is still being written after its callers left", async () => {
    const queue = queueOf({ writeDeadlineMillis: 60 });
    const answer = queue.add(request(1));
    const batch = (await queue.take(always))!;
    expect((await answer).kind).toBe("failed");
    expect(await pendingBytes()).toBe(100);
    expect(queue.awaited(batch.parts)).toEqual([]);
    queue.release(batch);
    expect(await pendingBytes()).toBe(0);
  });

  it("OPS-01 counts what was committed although its sender was told to send it again, in part or as a whole, before that or after", async () => {
    const unacknowledged = async (): Promise<number> => (await metrics.unacknowledged.get()).values[0]?.value ?? 0;
    const queue = queueOf({ maxBatchRows: 4, writeDeadlineMillis: 60 });
    const answer = queue.add(request(10));
    const batches = [await queue.take(always), await queue.take(always), await queue.take(always)];
    commit(queue, batches[0]!);
    expect((await answer).kind).toBe("failed");
    expect(await unacknowledged()).toBe(4);
    commit(queue, batches[1]!);
    expect(await unacknowledged()).toBe(8);
    queue.release(batches[2]!);
    await queue.drain(0);
  });

  it("gives a batch to a worker that has a session, not to the one that has waited longest", async () => {
    const queue = queueOf();
    let recovered = false;
    const without = queue.take(() => recovered);
    const withSession = queue.take(always);
    void queue.add(request(1));
    expect((await withSession)?.parts[0]?.toItem).toBe(1);
    void queue.add(request(2));
    recovered = true;
    queue.offer();
    expect((await without)?.parts[0]?.toItem).toBe(2);
    await queue.drain(0);
  });

  it("drains: takes nothing new, waits for what is there, and lets its takers go", async () => {
    const queue = queueOf();
    const answer = queue.add(request(2));
    const batch = (await queue.take(always))!;
    const taker = queue.take(always);
    const drained = queue.drain(2_000);
    expect(await queue.add(request(1))).toMatchObject({ kind: "failed", reason: "stopping" });
    commit(queue, batch);
    expect(await drained).toBe(0);
    expect(await answer).toMatchObject({ stored: 2 });
    expect(await taker).toBeUndefined();
  });

  it("says after the grace time how many items were not written, and tells their senders", async () => {
    const queue = queueOf();
    const answer = queue.add(request(3));
    expect(await queue.drain(20)).toBe(3);
    expect(await answer).toMatchObject({ kind: "failed", reason: "stopping" });
  });
});

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { isContent } from "../../../../sdk/core/content-attributes.ts";
import { createQueue, type Entry, type Losses, type Outcome, sizeOf } from "../../../../sdk/core/queue.ts";
import { nextTurn } from "../../../../sdk/core/waiting.ts";
import { recordOf } from "../../../support/sdk/records.ts";

const KILOBYTE = "x".repeat(1024);
const withContent = (name: string, content = KILOBYTE) => recordOf(name, { "gen_ai.request.model": "m", "gen_ai.input.messages": content });

function queueOf(limits: { queueBytes?: number; queueRecords?: number } = {}) {
  const lost: (keyof Losses)[] = [];
  const queue = createQueue({ queueBytes: 1e9, queueRecords: 1e9, ...limits }, isContent, (kind) => lost.push(kind));
  return { queue, lost };
}

const namesOf = (entries: readonly { span: { name: string } }[]): string[] => entries.map(({ span }) => span.name);

describe("the queue", () => {
  it("gives the oldest first, within the bounds of one request", () => {
    const { queue } = queueOf();
    for (const name of ["a", "b", "c", "d"]) queue.push(withContent(name));
    const one = sizeOf(withContent("a"));
    expect(namesOf(queue.take(3, 1e9))).toEqual(["a", "b", "c"]);
    queue.push(withContent("e"));
    expect(namesOf(queue.take(64, one + 1))).toEqual(["d"]);
    expect(queue.length).toBe(1);
  });

  it("neither counting nor dropping content writes a text that is put off", () => {
    const written: string[] = [];
    const text = { sizeBytes: () => 1024, text: () => written[written.push("text") - 1]! };
    const { queue } = queueOf({ queueBytes: 2_000 });
    const deferred = () => recordOf("deferred", { "gen_ai.input.messages": text });
    const [first, second] = [queue.push(deferred()), queue.push(deferred())];
    expect([first.bare, second.bare, written]).toEqual([true, false, []]);
    expect([first.span.attributes, second.span.attributes]).toEqual([{}, { "gen_ai.input.messages": "text" }]);
  });

  it("keeps nothing alive of what has left or was taken back, whoever still holds the entry", async () => {
    const { queue } = queueOf();
    const push = (name: string): { entry: Entry; told: WeakRef<object>; span: WeakRef<object> } => {
      const span = withContent(name);
      const told = () => {};
      return { entry: queue.push(span, told), told: new WeakRef(told), span: new WeakRef(span) };
    };
    const [first, sent, cancelled] = [push("first"), push("sent"), push("cancelled")];
    queue.cancel(cancelled.entry);
    const taken = queue.take(2, 1e9);
    queue.settle(taken.slice(1), "accepted");
    queue.putBack(taken);
    await nextTurn();
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    const alive = [first, sent, cancelled].map(({ told, span }) => [told.deref() !== undefined, span.deref() !== undefined]);
    expect(alive).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
    expect(namesOf(queue.take(9, 1e9))).toEqual(["first"]);
  });

  it("gives one record that is larger than a request alone", () => {
    const { queue } = queueOf();
    queue.push(withContent("large"));
    queue.push(withContent("next"));
    expect(namesOf(queue.take(64, 10))).toEqual(["large"]);
  });

  it("takes the content off the oldest records first, and keeps what else they say", () => {
    const one = sizeOf(withContent("a"));
    const { queue, lost } = queueOf({ queueBytes: one * 4 - 1 });
    for (const name of ["a", "b", "c", "d"]) queue.push(withContent(name));
    expect(lost).toEqual(["contents"]);
    const [first, second] = queue.take(64, 1e9);
    expect(first!.span.attributes).toEqual({ "gen_ai.request.model": "m" });
    expect(first!.span.droppedAttributesCount).toBe(1);
    expect(second!.span.attributes["gen_ai.input.messages"]).toBe(KILOBYTE);
  });

  it("gives up the oldest records when none has content left, and stays within its bytes", () => {
    const bare = sizeOf(recordOf("a", {}));
    const { queue, lost } = queueOf({ queueBytes: bare * 5 });
    for (let i = 0; i < 50; i++) {
      queue.push(withContent(`r${i}`));
      expect(queue.bytes).toBeLessThanOrEqual(bare * 5);
    }
    expect(queue.losses.records).toBeGreaterThan(40);
    expect(lost.filter((kind) => kind === "records")).toHaveLength(queue.losses.records);
    expect(namesOf(queue.take(64, 1e9)).at(-1)).toBe("r49");
  });

  it("bounds the number of records", () => {
    const { queue } = queueOf({ queueRecords: 2 });
    for (const name of ["a", "b", "c"]) queue.push(recordOf(name, {}));
    expect(namesOf(queue.take(64, 1e9))).toEqual(["b", "c"]);
  });

  it("counts what is being sent until it is settled, and tells once what became of it", () => {
    const told: Outcome[] = [];
    const { queue } = queueOf();
    queue.push(withContent("a"), (outcome) => told.push(outcome));
    const entries = queue.take(64, 1e9);
    expect([queue.length, queue.bytes]).toEqual([0, sizeOf(withContent("a"))]);
    queue.settle(entries, "accepted");
    queue.settle(entries, "dropped");
    expect([queue.bytes, told]).toEqual([0, ["accepted"]]);
  });

  it("puts back what could not be sent before what came meanwhile", () => {
    const { queue } = queueOf();
    queue.push(recordOf("a", {}));
    const entries = queue.take(64, 1e9);
    queue.push(recordOf("b", {}));
    queue.putBack(entries);
    expect(namesOf(queue.take(64, 1e9))).toEqual(["a", "b"]);
  });

  it("lets a record be taken back until it is being sent", () => {
    const { queue } = queueOf();
    const waiting = queue.push(recordOf("a", {}));
    expect([queue.cancel(waiting), queue.cancel(waiting), queue.bytes]).toEqual([true, false, 0]);
    const sent = queue.push(recordOf("b", {}));
    queue.take(64, 1e9);
    expect(queue.cancel(sent)).toBe(false);
  });

  it("does not send again what was taken back while it was being sent, and counts no loss", () => {
    const { queue, lost } = queueOf();
    const told: Outcome[] = [];
    const withdrawn = queue.push(withContent("announcement"), (outcome) => told.push(outcome));
    queue.push(recordOf("b", {}));
    const entries = queue.take(64, 1e9);
    queue.cancel(withdrawn);
    queue.putBack(entries);
    expect(told).toEqual(["dropped"]);
    expect(namesOf(queue.take(64, 1e9))).toEqual(["b"]);
    expect([queue.bytes, queue.losses, lost]).toEqual([sizeOf(recordOf("b", {})), { contents: 0, records: 0 }, []]);
  });

  it("keeps its order and forgets what left over many thousands of records", () => {
    const { queue } = queueOf();
    const seen: string[] = [];
    for (let i = 0; i < 5_000; i++) {
      queue.push(recordOf(`r${i}`, {}));
      if (i % 3 === 0) {
        const entries = queue.take(2, 1e9);
        seen.push(...namesOf(entries));
        queue.settle(entries, "accepted");
      }
    }
    seen.push(...namesOf(queue.take(1e9, 1e9)));
    expect(seen).toEqual(Array.from({ length: 5_000 }, (_, i) => `r${i}`));
  });
});

describe("the size of a record", () => {
  it("counts text in bytes of UTF-8", () => {
    const text = "é".repeat(500);
    expect(sizeOf(recordOf("a", { t: text })) - sizeOf(recordOf("a", { t: "" }))).toBe(1_000);
  });
});

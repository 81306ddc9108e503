import assert from "node:assert";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { startItem } from "../../../sdk/items/item.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { type CapturedRecords, captureRecords } from "../../support/captured-records.ts";

let captured: CapturedRecords;
beforeEach(() => {
  captured = captureRecords();
});
afterEach(() => captured[Symbol.dispose]());

const circular: Record<string, unknown> = {};
circular["self"] = circular;
const unreadable = new Proxy(
  {},
  { get: () => assert.fail("no"), ownKeys: () => assert.fail("no"), getPrototypeOf: () => assert.fail("no") },
);
const HOSTILE: readonly (readonly [string, unknown])[] = [
  ["an object that holds itself", circular],
  ["an object of which nothing can be read", unreadable],
  ["a BigInt", 10n],
  ["a function", () => "x"],
  ["a symbol", Symbol("x")],
  ["a number that is none", Number.NaN],
  [
    "an object whose text throws",
    {
      toString: () => {
        throw new Error("no");
      },
    },
  ],
];

/** What an exporter can write: anything else could cost a whole request. */
const isWritable = (value: unknown): boolean =>
  ["string", "boolean"].includes(typeof value) ||
  Number.isFinite(value) ||
  (Array.isArray(value) && value.every((each) => typeof each === "string"));

describe("SDK-05 words that are no words: nothing throws, and every record can be written", () => {
  it.each(HOSTILE)("%s in a run", async (_, word) => {
    const hostile = word as never;
    const reporter = new RunReporter({ triggeredBy: hostile, environment: hostile });
    const run = reporter.start({ requested: hostile, kind: hostile, promptVersion: hostile, minArbiterScore: hostile, metadata: hostile });
    run.generated({ provider: hostile, type: hostile, difficulty: hostile, count: hostile });
    run.evaluated({ approved: hostile, score: hostile, provider: hostile });
    run.error({ category: hostile, severity: hostile });
    run.checkpoint();
    expect(run.summary()).toMatchObject({ total_errors: 1, items_evaluated: 1 });
    expect(await run.finish({ exitCode: hostile })).toMatchObject({ status: "sent" });
    await reporter.reportRun({ id: hostile, started_at: hostile, items_requested: hostile }, hostile, { kind: hostile });
  });

  it.each(HOSTILE)("%s in an item", (_, word) => {
    const hostile = word as never;
    const trace = startItem({
      kind: hostile,
      title: hostile,
      promptVersion: hostile,
      entity: { type: hostile, id: hostile },
      metadata: hostile,
    });
    trace
      .startGeneration({ model: hostile, index: hostile, prompt: { name: hostile, text: hostile } })
      .succeed({ text: hostile, usage: hostile });
    trace.title(hostile);
    trace.quality({ status: hostile, issues: hostile, score: hostile, by: hostile });
    trace.link({ type: hostile, id: hostile });
    trace.complete();
    expect(() => JSON.stringify(captured.spans.map(({ attributes }) => attributes))).not.toThrow();
  });

  it.each(HOSTILE)("%s in a trace of images", async (_, word) => {
    const hostile = word as never;
    const tracer = new ImageTracer(hostile, { entityType: hostile });
    await tracer.startTrace({ lessonId: hostile, prompts: hostile });
    tracer.addImageGenerationAttempt({
      model: hostile,
      prompt: hostile,
      provider: hostile,
      success: hostile,
      error: hostile,
      httpStatus: hostile,
      timestamp: hostile,
    });
    expect(await tracer.attempt({ model: hostile, prompt: hostile }, () => 5)).toBe(5);
    await tracer.completeTrace(hostile, hostile);
    await tracer.failTrace(hostile);
  });

  afterEach(() => {
    const unwritable = captured.spans.flatMap(({ attributes }) => Object.entries(attributes).filter(([, value]) => !isWritable(value)));
    expect(captured.spans).not.toEqual([]);
    expect(unwritable).toEqual([]);
    expect(captured.spans.every(({ name, status }) => typeof name === "string" && typeof (status.message ?? "") === "string")).toBe(true);
  });
});

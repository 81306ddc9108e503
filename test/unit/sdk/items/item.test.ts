import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startItem, startProblemTrace } from "../../../../sdk/items/item.ts";
import { read } from "../../../../sdk/readers/index.ts";
import { type CapturedRecords, captureRecords } from "../../../support/captured-records.ts";

let captured: CapturedRecords;
beforeEach(() => {
  captured = captureRecords({ pending: "off" });
});
afterEach(() => captured[Symbol.dispose]());

const MODEL = "gpt-5-nano-2025-08-07";
const completion = (n: number, content: string) => ({
  id: `chatcmpl-${n}`,
  object: "chat.completion",
  created: 1_760_000_000 + n,
  model: MODEL,
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
  usage: { prompt_tokens: 150, completion_tokens: 575, total_tokens: 725, completion_tokens_details: { reasoning_tokens: 500 } },
});

const item = (): ReadableSpan => captured.of("item")[0]!;
const generations = (): ReadableSpan[] => captured.spans.filter(({ attributes }) => attributes["gen_ai.operation.name"] !== undefined);

describe("a problem and its sentences", () => {
  it("each sentence is a generation of the item, and toJSON adds them up", async () => {
    const trace = startProblemTrace({ title: "Articles", promptVersion: "2.0", metadata: { level: "A2" } });
    for (const [i, topic] of ["der", "die"].entries()) {
      const messages = [{ role: "user", content: `A sentence with ${topic}` }];
      const start = { model: "gpt-5-nano", provider: "openai", messages, prompt: { name: "sentence" } };
      const answer = await trace.generate(start, async () => completion(i, `${topic} Hund`), read.openaiChat);
      expect(answer.id).toBe(`chatcmpl-${i}`);
    }
    trace.quality({ status: "pending_review", issues: ["check the article"] });
    trace.complete();

    expect(item().attributes).toEqual({
      "genspan.record": "item",
      "genspan.item.id": trace.id,
      "genspan.item.kind": "problem",
      "genspan.item.title": "Articles",
      "genspan.item.metadata": '{"level":"A2"}',
      "gen_ai.prompt.version": "2.0",
      "genspan.quality.status": "pending_review",
      "genspan.quality.issues": ["check the article"],
    });
    expect(
      generations().map(({ attributes }) => [
        attributes["genspan.item.id"],
        attributes["genspan.item.index"],
        attributes["gen_ai.prompt.version"],
      ]),
    ).toEqual([
      [trace.id, 0, "2.0"],
      [trace.id, 1, "2.0"],
    ]);
    expect(generations().every((each) => each.parentSpanContext?.spanId === item().spanContext().spanId)).toBe(true);
    expect(JSON.parse(JSON.stringify(trace))).toEqual({
      model: "gpt-5-nano",
      prompt_version: "2.0",
      total_input_tokens: 300,
      total_output_tokens: 1150,
      total_reasoning_tokens: 1000,
      total_tokens: 1450,
      quality_status: "pending_review",
      quality_issues: ["check the article"],
      metadata: { level: "A2" },
      sentences: [0, 1].map((index) => ({
        index,
        generation_id: `${generations()[index]!.spanContext().traceId}-${generations()[index]!.spanContext().spanId}`,
        model: "gpt-5-nano",
        response_model: MODEL,
        response_id: `chatcmpl-${index}`,
        prompt_name: "sentence",
        prompt_version: "2.0",
        prompt_text: JSON.stringify([{ role: "user", content: `A sentence with ${["der", "die"][index]}` }]),
        content: `${["der", "die"][index]} Hund`,
        reasoning_content: null,
        input_tokens: 150,
        output_tokens: 575,
        reasoning_tokens: 500,
        total_tokens: 725,
        duration_ms: expect.any(Number),
        finish_reason: "stop",
        status: "success",
        error_message: null,
      })),
    });
  });

  it("keeps the reasoning, the exact prompt and a version of the sentence's own", () => {
    const trace = startProblemTrace({ promptVersion: "2.0" });
    const generation = trace.startGeneration({ model: "m", prompt: { text: "Write.\r\n", version: "2.1-beta" } });
    generation.succeed({
      text: "Done",
      reasoning: "First I think.",
      responseId: "r1",
      usage: { input: 5, output: 3, reasoning: 2, reasoningInOutput: false },
    });
    expect(trace.toJSON().sentences[0]).toMatchObject({
      prompt_text: "Write.\r\n",
      prompt_version: "2.1-beta",
      content: "Done",
      reasoning_content: "First I think.",
      output_tokens: 5,
      reasoning_tokens: 2,
      total_tokens: 10,
    });
  });

  it("counts reasoning that is more than the answer beside it, as the collector does", () => {
    const trace = startItem();
    trace.startGeneration({ model: "m" }).succeed({ usage: { input: 150, output: 75, total: 225, reasoning: 500 } });
    expect(trace.toJSON()).toMatchObject({ total_output_tokens: 575, total_reasoning_tokens: 500, total_tokens: 725 });
    expect(generations()[0]?.attributes["gen_ai.usage.output_tokens"]).toBe(575);
  });

  it("knows a sentence that is still made, one that failed and one that ran out of time", () => {
    const trace = startItem({ kind: "lesson" });
    trace.startGeneration({ model: "a" });
    trace.startGeneration({ model: "b" }).fail(new Error("rate limited"));
    trace.startGeneration({ model: "c" }).timeout();
    expect(trace.toJSON().sentences.map(({ status, error_message }) => [status, error_message])).toEqual([
      ["pending", null],
      ["failed", "rate limited"],
      ["timeout", "the call ran out of time"],
    ]);
  });

  it("takes a second try in the same place for the sentence, and goes on counting after a place that was given", () => {
    const trace = startItem();
    trace.startGeneration({ model: "a", index: 3 }).fail("no");
    trace.startGeneration({ model: "b", index: 3 }).succeed({ text: "yes" });
    trace.startGeneration({ model: "c" }).succeed({ text: "next" });
    expect(trace.toJSON().sentences.map(({ index, model, content }) => [index, model, content])).toEqual([
      [3, "b", "yes"],
      [4, "c", "next"],
    ]);
  });

  it("gives its id to what is generated within it by other means", async () => {
    const trace = startItem();
    const { generate } = await import("../../../../sdk/generation/generate.ts");
    await trace.run(() => generate({ model: "m" }, async () => "text"));
    expect(generations()[0]?.attributes["genspan.item.id"]).toBe(trace.id);
    expect(trace.toJSON().sentences).toEqual([]);
  });

  it("throws what the call threw, and records it", async () => {
    const trace = startItem();
    const error = new TypeError("no model");
    await expect(trace.generate({ model: "m" }, () => Promise.reject(error))).rejects.toBe(error);
    expect(trace.toJSON().sentences[0]).toMatchObject({ status: "failed", error_message: "no model" });
  });
});

describe("an item", () => {
  it("is told its quality, its entity and its title before the end by itself, afterwards by updates", () => {
    const trace = startItem({ kind: "problem" });
    trace.title("Pronouns");
    trace.complete();
    trace.link({ type: "problem", id: 17 });
    trace.quality({ status: "approved", score: 0.9, by: "anna" });
    expect(item().attributes).toMatchObject({ "genspan.item.title": "Pronouns" });
    const id = { "genspan.record": "update" };
    expect(captured.of("update").map(({ attributes }) => attributes)).toEqual([
      { ...id, "genspan.entity.type": "problem", "genspan.entity.id": "17" },
      { ...id, "genspan.quality.status": "approved", "genspan.quality.score": 0.9, "genspan.quality.by": "anna" },
    ]);
    expect(captured.of("update").every((each) => each.parentSpanContext?.spanId === item().spanContext().spanId)).toBe(true);
    expect(trace.ref).toBe(`${item().spanContext().traceId}-${item().spanContext().spanId}`);
    expect(trace.toJSON().quality_status).toBe("approved");
  });

  it("that failed says why; the first of its ends counts", () => {
    const trace = startItem();
    trace.fail(new Error("no sentence passed"));
    trace.complete();
    expect(captured.of("item")).toHaveLength(1);
    expect(item().status).toEqual({ code: 2, message: "no sentence passed" });
    expect(trace.ended).toBe(true);
  });

  it("that is left open fails as abandoned", () => {
    {
      using _trace = startItem();
    }
    expect(item().status.message).toContain("abandoned");
  });

  it("stores its texts whole where the telemetry may not have them", async () => {
    captured[Symbol.dispose]();
    captured = captureRecords({ pending: "off", content: "metadata", redact: () => "***" });
    const trace = startItem({ metadata: { who: "bob" } });
    await trace.generate({ model: "m", messages: [{ role: "user", content: "secret" }] }, async () => completion(1, "also secret"));
    trace.complete();
    expect(JSON.stringify(captured.spans.map(({ attributes }) => attributes))).not.toMatch(/secret|bob/);
    expect(trace.toJSON().sentences[0]).toMatchObject({ content: "also secret", prompt_text: '[{"role":"user","content":"secret"}]' });
  });

  it("works without tracing, and its JSON is complete", async () => {
    captured[Symbol.dispose]();
    const trace = startProblemTrace({ promptVersion: "2.0" });
    await trace.generate({ model: "m" }, async () => completion(1, "x"));
    trace.complete();
    expect(trace.toJSON()).toMatchObject({ total_tokens: 725, prompt_version: "2.0" });
    expect(captured.spans).toEqual([]);
  });

  it.each([undefined, null, 5, "text", []])("SDK-05 %o in place of what the types demand never throws", async (nonsense) => {
    const trace = startItem(nonsense as never);
    trace.startGeneration(nonsense as never).succeed(nonsense as never);
    expect(await trace.generate(nonsense as never, () => 5)).toBe(5);
    trace.title(nonsense as never);
    trace.quality(nonsense as never);
    trace.link(nonsense as never);
    trace.fail(nonsense);
    expect(JSON.parse(JSON.stringify(trace)).sentences).toHaveLength(2);
  });
});

import { createHash } from "node:crypto";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TracingOptions } from "../../../../sdk/core/options.ts";
import { ImageTracer } from "../../../../sdk/images/image-tracer.ts";
import { type CapturedRecords, captureRecords } from "../../../support/captured-records.ts";

const SDXL = "stabilityai/stable-diffusion-xl-base-1.0";
const FLUX = "black-forest-labs/FLUX.1-dev";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PROMPT = "A cat playing with yarn";

let captured: CapturedRecords;
const capture = (options?: TracingOptions): void => {
  captured?.[Symbol.dispose]();
  captured = captureRecords(options);
};
beforeEach(() => capture());
afterEach(() => captured[Symbol.dispose]());

const json = (span: ReadableSpan | undefined, name: string): unknown => JSON.parse(String(span?.attributes[name]));
const millis = ([seconds, nanos]: ReadableSpan["startTime"]): number => seconds * 1000 + nanos / 1e6;
const image = (): ReadableSpan => captured.of("image")[0]!;

describe("a trace of images", () => {
  it("that succeeds tells its request, its tries in order and what came of it", async () => {
    const tracer = new ImageTracer("lesson-123");
    const id = await tracer.startTrace({ lessonId: "lesson-123", numberOfImages: 1, prompts: [{ prompt: PROMPT, position: "full" }] });
    tracer.addImageGenerationAttempt({
      model: FLUX,
      prompt: PROMPT,
      success: false,
      error: "Model timeout",
      duration_ms: 1200,
      httpStatus: 504,
    });
    tracer.addImageGenerationAttempt({
      model: SDXL,
      prompt: PROMPT,
      provider: "huggingface",
      request: { prompt: PROMPT, model: SDXL, options: { guidance_scale: 7.5 } },
      response: { success: true, dataSize: 212272 },
      duration_ms: 3500,
      success: true,
    });
    await tracer.completeTrace({ generatedImagesCount: 1, imageUrls: ["https://x/1.png"] }, SDXL);

    expect(id).toMatch(UUID);
    expect(image().attributes).toMatchObject({
      "genspan.image.id": id,
      "genspan.image.status": "completed",
      "genspan.image.model_used": SDXL,
      "genspan.image.models_tried": [FLUX, SDXL],
      "genspan.entity.type": "lesson",
      "genspan.entity.id": "lesson-123",
    });
    expect(image().status.code).toBe(0);
    expect(json(image(), "genspan.image.request")).toEqual({ numberOfImages: 1, prompts: [{ prompt: PROMPT, position: "full" }] });
    expect(json(image(), "genspan.image.response")).toEqual({ generatedImagesCount: 1, imageUrls: ["https://x/1.png"] });

    const [first, second] = captured.of("attempt");
    expect(first?.attributes).toMatchObject({
      "genspan.attempt.number": 1,
      "gen_ai.request.model": FLUX,
      "genspan.attempt.http_status": 504,
    });
    expect(first?.status).toEqual({ code: 2, message: "Model timeout" });
    expect(json(first, "genspan.image.response")).toEqual({ success: false, error: "Model timeout" });
    expect(second?.attributes).toMatchObject({
      "genspan.attempt.number": 2,
      "genspan.attempt.outcome": "success",
      "gen_ai.provider.name": "huggingface",
    });
    expect(json(second, "genspan.image.request")).toEqual({ prompt: PROMPT, model: SDXL, options: { guidance_scale: 7.5 } });
    expect(json(second, "genspan.image.response")).toEqual({ success: true, dataSize: 212272 });
    expect(millis(second!.duration)).toBe(3500);
    expect(captured.of("attempt").every((each) => each.parentSpanContext?.spanId === image().spanContext().spanId)).toBe(true);
  });

  it("that fails carries the reason, and no model that was used", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({ prompts: [] });
    tracer.addImageGenerationAttempt({ model: SDXL, prompt: PROMPT, success: false, response: { success: false, error: "refused" } });
    await tracer.failTrace(new Error("Model timeout"));
    expect(image().attributes).toMatchObject({ "genspan.image.status": "failed" });
    expect(image().attributes).not.toHaveProperty("genspan.image.model_used");
    expect(image().status).toEqual({ code: 2, message: "Model timeout" });
    expect(captured.of("attempt")[0]?.status.message).toBe("refused");
  });

  it("used the model that succeeded last where nothing else is said", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    for (const [model, success] of [
      ["a", true],
      ["b", true],
      ["c", false],
    ] as const)
      tracer.addImageGenerationAttempt({ model, prompt: "", success });
    await tracer.completeTrace({});
    expect(image().attributes["genspan.image.model_used"]).toBe("b");
  });

  it("is announced while it is made, as a child of the record that comes later", async () => {
    const tracer = new ImageTracer("7");
    const id = await tracer.startTrace({ numberOfImages: 2 });
    await vi.waitFor(() => expect(captured.of("pending")).toHaveLength(1));
    const [pending] = captured.of("pending");
    expect(pending?.attributes).toMatchObject({ "genspan.image.id": id, "genspan.image.status": "started" });
    expect(json(pending, "genspan.image.request")).toEqual({ numberOfImages: 2 });
    await tracer.completeTrace({});
    expect(pending?.parentSpanContext?.spanId).toBe(image().spanContext().spanId);
  });

  it("is not announced with pending off, and is before startTrace returns with pending await", async () => {
    capture({ pending: "off" });
    await new ImageTracer("7").startTrace({});
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(captured.spans).toEqual([]);
    capture({ pending: "await" });
    await new ImageTracer("7").startTrace({});
    expect(captured.of("pending")).toHaveLength(1);
  });

  it("may be for anything, of any type and named by its request", async () => {
    const tracer = new ImageTracer("article-1", { entityType: "article" });
    await tracer.startTrace({ lessonId: "article-2" });
    await tracer.completeTrace({});
    expect(image().attributes).toMatchObject({ "genspan.entity.type": "article", "genspan.entity.id": "article-2" });
  });

  it("ends once: what is said after the end is ignored", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    await tracer.failTrace("first");
    await tracer.completeTrace({ generatedImagesCount: 1 });
    tracer.addImageGenerationAttempt({ model: SDXL, prompt: PROMPT, success: true });
    expect(captured.of("image")).toHaveLength(1);
    expect(captured.of("attempt")).toEqual([]);
    expect(image().status.message).toBe("first");
  });

  it("that is left open fails as abandoned: by a new start, or at the end of its scope", async () => {
    {
      await using tracer = new ImageTracer("7");
      await tracer.startTrace({ numberOfImages: 1 });
      await tracer.startTrace({ numberOfImages: 2 });
    }
    expect(captured.of("image").map((span) => [span.status.code, json(span, "genspan.image.request")])).toEqual([
      [2, { numberOfImages: 1 }],
      [2, { numberOfImages: 2 }],
    ]);
    expect(image().status.message).toContain("abandoned");
  });

  it("keeps no more attempts than the limit", async () => {
    capture({ limits: { attemptsPerRecord: 2 } });
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    for (let i = 0; i < 5; i++) tracer.addImageGenerationAttempt({ model: `m${i}`, prompt: "", success: false });
    await tracer.failTrace("x");
    expect(captured.of("attempt")).toHaveLength(2);
  });
});

describe("the times of an attempt", () => {
  it("are those that were told", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    tracer.addImageGenerationAttempt({ model: SDXL, prompt: "", success: true, timestamp: "2025-10-26T10:30:00.250Z", duration_ms: 3542 });
    const [attempt] = captured.of("attempt");
    expect(new Date(millis(attempt!.startTime)).toISOString()).toBe("2025-10-26T10:30:00.250Z");
    expect(millis(attempt!.duration)).toBe(3542);
  });

  it("follow one another where nothing is told", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    for (const model of ["a", "b"]) tracer.addImageGenerationAttempt({ model, prompt: "", success: true });
    await tracer.completeTrace({});
    const [first, second] = captured.of("attempt");
    expect(first?.startTime).toEqual(image().startTime);
    expect(second?.startTime).toEqual(first?.endTime);
  });

  it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])("survive a duration of %d", async (duration_ms) => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    tracer.addImageGenerationAttempt({ model: "a", prompt: "", success: true, duration_ms, timestamp: "yesterday" });
    expect(captured.of("attempt")).toHaveLength(1);
    expect(captured.problems).toEqual([]);
  });
});

describe("an attempt that is made by the tracer", () => {
  const PNG = Buffer.from("\x89PNG\r\n\x1a\nrest of the picture", "latin1");

  it("gives the result back and records size, type and hash of the picture, never its bytes", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    expect(await tracer.attempt({ model: SDXL, prompt: PROMPT }, async () => PNG)).toBe(PNG);
    const [attempt] = captured.of("attempt");
    expect(attempt?.attributes).toMatchObject({
      "genspan.image.size": PNG.length,
      "genspan.image.mime_type": "image/png",
      "genspan.image.sha256": createHash("sha256").update(PNG).digest("hex"),
    });
    expect(json(attempt, "genspan.image.response")).toEqual({ success: true, dataSize: PNG.length });
    expect(JSON.stringify(attempt?.attributes)).not.toContain("rest of the picture");
  });

  it("finds the picture in any result", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    await tracer.attempt(
      { model: SDXL, prompt: PROMPT },
      () => ({ data: PNG }),
      ({ data }) => data,
    );
    expect(captured.of("attempt")[0]?.attributes["genspan.image.size"]).toBe(PNG.length);
  });

  it("throws what the call threw, and records it", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    const error = new TypeError("no picture");
    await expect(tracer.attempt({ model: SDXL, prompt: PROMPT }, () => Promise.reject(error))).rejects.toBe(error);
    await expect(
      tracer.attempt({ model: SDXL, prompt: PROMPT }, () => {
        throw error;
      }),
    ).rejects.toBe(error);
    expect(captured.of("attempt").map(({ status }) => status)).toEqual([
      { code: 2, message: "no picture" },
      { code: 2, message: "no picture" },
    ]);
  });

  it("that fails tells what kind of error it was, as generations do", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    const errors = [
      Object.assign(new Error("slow down"), { status: 429, code: "rate_limit" }),
      new DOMException("too slow", "TimeoutError"),
      "refused",
    ];
    for (const error of errors) await tracer.attempt({ model: SDXL, prompt: "" }, () => Promise.reject(error)).catch(() => {});
    tracer.addImageGenerationAttempt({ model: SDXL, prompt: "", success: false, httpStatus: 503 });
    expect(
      captured
        .of("attempt")
        .map(({ attributes, status }) => [attributes["error.type"], attributes["genspan.attempt.outcome"], status.message]),
    ).toEqual([
      ["rate_limit", "rate_limit", "slow down"],
      ["timeout", "timeout", "too slow"],
      ["_OTHER", "_OTHER", "refused"],
      ["503", "503", "failed"],
    ]);
    expect(captured.of("attempt")[0]?.attributes["genspan.attempt.http_status"]).toBe(429);
  });

  it("comes through before startTrace, too", async () => {
    expect(await new ImageTracer("7").attempt({ model: SDXL, prompt: PROMPT }, async () => 5)).toBe(5);
    expect(captured.spans).toEqual([]);
  });

  it("comes through when the picture cannot be found", async () => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({});
    const broken = (): never => {
      throw new Error("mine");
    };
    expect(await tracer.attempt({ model: SDXL, prompt: PROMPT }, async () => 5, broken)).toBe(5);
    expect(captured.problems).toEqual(["finding the picture failed: Error"]);
    expect(captured.of("attempt")).toHaveLength(1);
  });
});

describe("content of images", () => {
  const record = async (): Promise<void> => {
    const tracer = new ImageTracer("7");
    await tracer.startTrace({ numberOfImages: 1, prompts: [{ prompt: `${PROMPT} for bob@example.org`, targetSection: 2 }] });
    tracer.addImageGenerationAttempt({
      model: SDXL,
      prompt: `${PROMPT} for bob@example.org`,
      success: true,
      response: { success: true, dataSize: 9, url: "https://x/secret.png" },
    });
    await tracer.completeTrace({ generatedImagesCount: 1, imageUrls: ["https://x/secret.png"] });
  };

  it("is left out with the policy metadata: numbers and models stay", async () => {
    capture({ content: "metadata" });
    await record();
    expect(JSON.stringify(captured.spans.map(({ attributes }) => attributes))).not.toMatch(/cat|secret/);
    expect(json(image(), "genspan.image.request")).toEqual({ numberOfImages: 1, prompts: [{ targetSection: 2 }] });
    expect(json(image(), "genspan.image.response")).toEqual({ generatedImagesCount: 1, imageUrls: [] });
    expect(captured.of("attempt")[0]?.attributes["gen_ai.request.model"]).toBe(SDXL);
    expect(json(captured.of("attempt")[0], "genspan.image.response")).toEqual({ success: true, dataSize: 9 });
  });

  it("is redacted text by text, so that its JSON stays whole", async () => {
    capture({ redact: (text) => text.replaceAll(/\S+@\S+/g, '"***"') });
    await record();
    expect(json(image(), "genspan.image.request")).toEqual({
      numberOfImages: 1,
      prompts: [{ prompt: `${PROMPT} for "***"`, targetSection: 2 }],
    });
    expect(JSON.stringify(captured.spans.map(({ attributes }) => attributes))).not.toContain("example.org");
  });

  it("SDK-05 of any kind is told safely: cycles, BigInt, getters that throw, functions, bytes", async () => {
    const circular: Record<string, unknown> = { n: 1n, when: new Date(0), bytes: Buffer.from("abc"), draw() {} };
    circular["self"] = circular;
    Object.defineProperty(circular, "broken", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    const tracer = new ImageTracer("7");
    await tracer.startTrace(circular);
    tracer.addImageGenerationAttempt({ model: "m", prompt: "p", success: true, request: circular as never, response: circular as never });
    await tracer.completeTrace(circular);
    expect(json(image(), "genspan.image.request")).toMatchObject({ n: "1", self: "[circular]", broken: "[unreadable]" });
    expect(captured.of("attempt")).toHaveLength(1);
  });

  it.each([undefined, null, 5, "text", []])("SDK-05 %o in place of what the types demand never throws", async (nonsense) => {
    const tracer = new ImageTracer(nonsense as never);
    await tracer.startTrace(nonsense as never);
    tracer.addImageGenerationAttempt(nonsense as never);
    await tracer.completeTrace(nonsense as never, nonsense as never);
    await tracer.failTrace(nonsense as never);
  });
});

describe("without tracing", () => {
  it("everything works and nothing leaves", async () => {
    captured[Symbol.dispose]();
    const tracer = new ImageTracer("7");
    expect(await tracer.startTrace({})).toMatch(UUID);
    expect(await tracer.attempt({ model: SDXL, prompt: PROMPT }, () => 5)).toBe(5);
    await tracer.completeTrace({});
    expect(captured.spans).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { recording } from "../support/recordings.ts";
import { chat, logs, prompt, traces, usage, useRefinementSuite } from "../support/refinement-suite.ts";

describeEachServer("what came apart is brought together", (server) => {
  const { rig, empty, calls, state, sendAll, expectOrderIndependent } = useRefinementSuite(server);

  describe("log events", () => {
    const call = { id: "call", attributes: { ...chat, ...usage(8, 3), "gen_ai.response.finish_reasons": ["stop"] } };
    const user = logsOf({ span: "call", name: "gen_ai.user.message", at: 1, body: { content: "Hi" } });
    const system = logsOf({ span: "call", name: "gen_ai.system.message", at: 0, body: { content: "Be kind" } });
    const choice = logsOf({
      span: "call",
      name: "gen_ai.choice",
      at: 90,
      body: { index: 0, finish_reason: "stop", message: { content: "Hello" } },
    });

    it("one event per message become prompt and response of their call, in any order", { timeout: 120_000 }, async () => {
      await expectOrderIndependent([logs(choice), traces(tracesOf(call)), logs(user), logs(system)]);
      const [row] = await calls();
      expect(JSON.parse(String(row?.["prompt_full_text"]))).toEqual([
        { role: "system", parts: [{ type: "text", content: "Be kind" }] },
        { role: "user", parts: [{ type: "text", content: "Hi" }] },
      ]);
      expect(JSON.parse(String(row?.["response_full_text"]))).toEqual([
        { role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" },
      ]);
      expect(row).toMatchObject({ prompt_format: "messages", content_state: "captured" });
    });

    it("the recorded OpenAI client's prompt and answer reach the row, whichever arrives first", async () => {
      const [span, log] = [recording("otel-openai", "chat").body, recording("otel-openai", "chat.2").body];
      await sendAll([logs(log), traces(span)]);
      const first = await state();
      await empty();
      await sendAll([traces(span), logs(log)]);
      expect(await state()).toEqual(first);
      const [row] = await calls();
      expect(row).toMatchObject({ prompt_format: "messages", response_format: "messages", content_state: "captured" });
      expect(JSON.parse(String(row?.["prompt_full_text"])).map(({ role }: { role: string }) => role)).toContain("user");
    });

    it("one event with everything in structured attributes does the same", async () => {
      const [span, log] = [recording("otel-openai", "responses").body, recording("otel-openai", "responses.2").body];
      await sendAll([logs(log), traces(span)]);
      const [row] = await calls();
      expect(row).toMatchObject({ prompt_format: "messages", response_format: "messages", content_state: "captured" });
    });

    it("what the span said itself stays", async () => {
      const told = { id: "call", attributes: { ...chat, "gen_ai.input.messages": prompt } };
      await sendAll([traces(tracesOf(told)), logs(user)]);
      expect((await calls())[0]).toMatchObject({ prompt_full_text: prompt });
    });
  });

  describe("images", () => {
    const image = (attributes: Record<string, string>) => ({
      "genspan.image.id": "123e4567-e89b-12d3-a456-426614174000",
      "genspan.image.request": JSON.stringify({ numberOfImages: 1, prompts: [{ prompt: "A cat" }] }),
      "genspan.entity.type": "lesson",
      "genspan.entity.id": "lesson-123",
      ...attributes,
    });
    const announced = { id: "pend", parent: "image", at: 0, tookMs: 0, attributes: image({ "genspan.record": "pending" }) };
    const attempt = (id: string, number: number, at: number, success: boolean) => ({
      id,
      parent: "image",
      at,
      tookMs: 80,
      attributes: {
        "genspan.record": "attempt",
        "genspan.attempt.number": number,
        "genspan.attempt.outcome": success ? "success" : "failed",
        "gen_ai.request.model": `model-${number}`,
        "genspan.image.request": JSON.stringify({ prompt: "A cat", model: `model-${number}` }),
        "genspan.image.response": JSON.stringify(success ? { success, dataSize: 212272 } : { success, error: "overloaded" }),
      },
    });
    const ended = {
      id: "image",
      at: 0,
      tookMs: 200,
      attributes: image({ "genspan.record": "image", "genspan.image.response": JSON.stringify({ generatedImagesCount: 1 }) }),
    };

    it("an announced image is a started trace and no model call", async () => {
      await sendAll([traces(tracesOf(announced))]);
      expect(await calls()).toEqual([]);
      expect(await rig().sql`SELECT status, lesson_id, completed_at, request_data FROM image_traces`).toEqual([
        {
          status: "started",
          lesson_id: "lesson-123",
          completed_at: null,
          request_data: { numberOfImages: 1, prompts: [{ prompt: "A cat" }] },
        },
      ]);
    });

    it("announcement, attempts and end become one trace with every attempt, in any order", { timeout: 120_000 }, async () => {
      await expectOrderIndependent([
        traces(tracesOf(attempt("try2", 2, 90, true))),
        traces(tracesOf(ended)),
        traces(tracesOf(attempt("try1", 1, 5, false))),
        traces(tracesOf(announced)),
      ]);
      const [row] = await rig().sql`SELECT * FROM image_traces`;
      expect(row).toMatchObject({
        id: "123e4567-e89b-12d3-a456-426614174000",
        lesson_id: "lesson-123",
        status: "completed",
        models_tried: ["model-1", "model-2"],
        model_used: "model-2",
        total_duration_ms: 200,
        response_data: { generatedImagesCount: 1 },
        image_generation_attempts: [
          { model: "model-1", prompt: "A cat", success: false, error: "overloaded", duration_ms: 80 },
          { model: "model-2", prompt: "A cat", success: true, response: { success: true, dataSize: 212272 } },
        ],
      });
    });

    it("a call that makes images is an image trace by itself, its bytes stored apart", async () => {
      const bytes = Buffer.from("picture");
      const response = [
        { role: "assistant", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: bytes.toString("base64") }] },
      ];
      const call = {
        id: "draw",
        attributes: {
          "gen_ai.operation.name": "image_generation",
          "gen_ai.request.model": "gpt-image-1",
          "gen_ai.input.messages": prompt,
          "gen_ai.output.messages": JSON.stringify(response),
        },
      };
      await sendAll([traces(tracesOf(call))]);
      const [row] = await rig().sql`SELECT * FROM image_traces`;
      expect(row).toMatchObject({
        status: "completed",
        model_used: "gpt-image-1",
        models_tried: ["gpt-image-1"],
        image_generation_attempts: [{ model: "gpt-image-1", prompt: "Hi", success: true }],
      });
      expect(JSON.stringify(row?.["response_data"])).toContain("genspan-blob:");
      expect(await rig().sql`SELECT content FROM blobs`).toEqual([{ content: bytes }]);
    });
  });

  describe("pending and late records", () => {
    const final = { id: "call", at: 0, tookMs: 500, attributes: { ...chat, ...usage(4, 2), "gen_ai.input.messages": prompt } };
    const pending = {
      id: "pend",
      parent: "call",
      at: 0,
      tookMs: 0,
      attributes: { ...chat, "genspan.record": "pending", "gen_ai.input.messages": prompt },
    };

    it("a pending record alone is a pending row; with its final span, in any order, there is one finished row", {
      timeout: 120_000,
    }, async () => {
      await sendAll([traces(tracesOf(pending))]);
      expect(await calls()).toMatchObject([
        { span_id: spanIdOf("call"), generation_status: "pending", prompt_full_text: prompt, end_time: null },
      ]);
      await expectOrderIndependent([traces(tracesOf(pending)), traces(tracesOf(final))]);
      expect(await calls()).toMatchObject([{ span_id: spanIdOf("call"), generation_status: "success", tokens_prompt: "4" }]);
    });

    it("events and updates that came while the call was pending survive its end", { timeout: 120_000 }, async () => {
      const bare = { ...final, attributes: { ...chat, ...usage(4, 2) } };
      await expectOrderIndependent([
        traces(tracesOf({ ...pending, attributes: { ...chat, "genspan.record": "pending" } })),
        logs(logsOf({ span: "call", name: "gen_ai.user.message", at: 1, body: { content: "Hi" } })),
        traces(
          tracesOf({ id: "u1", parent: "call", at: 50, tookMs: 0, attributes: { "genspan.record": "update", "genspan.item.id": "i1" } }),
        ),
        traces(tracesOf(bare)),
      ]);
      expect(await calls()).toMatchObject([{ generation_status: "success", item_id: "i1", prompt_format: "messages", tokens_prompt: "4" }]);
    });

    it("the latest update of each kind wins, wherever it stands in the order of arrival", { timeout: 120_000 }, async () => {
      const update = (id: string, at: number, attributes: Record<string, string | number>) => ({
        id,
        parent: "call",
        at,
        tookMs: 0,
        attributes: { "genspan.record": "update", ...attributes },
      });
      await expectOrderIndependent([
        traces(
          tracesOf(
            update("u1", 1000, { "genspan.entity.type": "problem", "genspan.entity.id": "7", "genspan.quality.status": "pending_review" }),
          ),
        ),
        traces(tracesOf(final)),
        traces(tracesOf(update("u2", 2000, { "genspan.quality.status": "approved", "genspan.quality.score": 0.9 }))),
      ]);
      expect(await calls()).toMatchObject([{ entity_type: "problem", entity_id: "7", quality_status: "approved", quality_score: 0.9 }]);
    });
  });
});

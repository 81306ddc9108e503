import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, type SpanSpec, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const PICTURE = Buffer.from("the bytes of a picture, of which none may stay in text");
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const base64 = PICTURE.toString("base64");
const url = `data:image/png;base64,${base64}`;
const prompt = "A cat";
const asked = JSON.stringify([{ role: "user", parts: [{ type: "text", content: prompt }] }]);
const drawn = (part: object): string => JSON.stringify([{ role: "assistant", parts: [part], finish_reason: "stop" }]);

interface Source {
  readonly spans: readonly SpanSpec[];
  readonly model: string;
  /** Whether the picture itself came along. */
  readonly bytes: boolean;
}

const SOURCES: Readonly<Record<string, Source>> = {
  "our own record with its attempts": {
    model: "imagen-4",
    bytes: false,
    spans: [
      {
        id: "image",
        tookMs: 300,
        attributes: {
          "genspan.record": "image",
          "genspan.image.request": JSON.stringify({ prompts: [{ prompt }] }),
          "genspan.image.response": JSON.stringify({ generatedImagesCount: 1 }),
        },
      },
      {
        id: "try",
        parent: "image",
        attributes: {
          "genspan.record": "attempt",
          "genspan.attempt.number": 1,
          "genspan.attempt.outcome": "success",
          "gen_ai.request.model": "imagen-4",
          "genspan.image.request": JSON.stringify({ prompt, model: "imagen-4" }),
        },
      },
    ],
  },
  "the conventions, as a message part": {
    model: "gpt-image-1",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "gen_ai.operation.name": "image_generation",
          "gen_ai.request.model": "gpt-image-1",
          "gen_ai.input.messages": asked,
          "gen_ai.output.messages": drawn({ type: "blob", modality: "image", mime_type: "image/png", content: base64 }),
        },
      },
    ],
  },
  "a model that talks and was asked for a picture": {
    model: "gemini-2.5-flash-image",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "gen_ai.operation.name": "generate_content",
          "gen_ai.output.type": "image",
          "gen_ai.request.model": "gemini-2.5-flash-image",
          "gen_ai.input.messages": asked,
          "gen_ai.output.messages": drawn({ type: "blob", modality: "image", mime_type: "image/png", content: base64 }),
        },
      },
    ],
  },
  "a model that talks and drew unasked, in the provider's own shape": {
    model: "gemini-2.5-flash",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.request.model": "gemini-2.5-flash",
          "gen_ai.input.messages": asked,
          "gen_ai.output.messages": drawn({ inlineData: { mimeType: "image/png", data: base64 } }),
        },
      },
    ],
  },
  "OpenAI's responses with their tool for pictures": {
    model: "gpt-5",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "openinference.span.kind": "LLM",
          "llm.model_name": "gpt-5",
          "input.value": JSON.stringify({ model: "gpt-5", input: prompt, tools: [{ type: "image_generation" }] }),
          "output.value": JSON.stringify({
            id: "resp_1",
            model: "gpt-5",
            status: "completed",
            output: [{ type: "image_generation_call", id: "ig_1", status: "completed", output_format: "png", result: base64 }],
          }),
        },
      },
    ],
  },
  Traceloop: {
    model: "dall-e-3",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "gen_ai.system": "OpenAI",
          "gen_ai.operation.name": "image_generation",
          "gen_ai.request.type": "image_generation",
          "gen_ai.request.model": "dall-e-3",
          "gen_ai.request.image.size": "1024x1024",
          "gen_ai.prompt.0.role": "user",
          "gen_ai.prompt.0.content": prompt,
          "gen_ai.completion.0.role": "assistant",
          "gen_ai.completion.0.content": JSON.stringify([{ type: "image_url", image_url: { url } }]),
        },
      },
    ],
  },
  Langfuse: {
    model: "gpt-image-1",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "langfuse.observation.type": "generation",
          "langfuse.observation.model.name": "gpt-image-1",
          "gen_ai.operation.name": "image_generation",
          "langfuse.observation.input": JSON.stringify([{ role: "user", content: prompt }]),
          "langfuse.observation.output": JSON.stringify({ role: "assistant", content: [{ type: "image_url", image_url: { url } }] }),
        },
      },
    ],
  },
  OpenLIT: {
    model: "dall-e-3",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "telemetry.sdk.name": "openlit",
          "gen_ai.system": "openai",
          "gen_ai.operation.name": "image",
          "gen_ai.request.model": "dall-e-3",
          "gen_ai.request.image_size": "1024x1024",
          "gen_ai.response.image": [base64],
          "gen_ai.input.messages": asked,
        },
      },
    ],
  },
  Logfire: {
    model: "gpt-image-1",
    bytes: true,
    spans: [
      {
        id: "call",
        attributes: {
          "logfire.span_type": "span",
          "gen_ai.operation.name": "image_generation",
          "gen_ai.system": "openai",
          "gen_ai.request.model": "gpt-image-1",
          request_data: JSON.stringify({ prompt, model: "gpt-image-1" }),
          response_data: JSON.stringify({ images: [{ b64_json: base64, revised_prompt: "A calm cat" }] }),
        },
      },
    ],
  },
};

const TABLES = "spans generation_logs generation_twins generation_attempts image_traces outputs blobs".split(" ");

describeEachServer("a picture that a model made", (server) => {
  const rig = usePipelineRig(server, ...TABLES);

  it.each(Object.entries(SOURCES))("is one image trace, and its bytes are stored once, out of %s", async (_, { spans, model, bytes }) => {
    for (let again = 0; again < 2; again++) expect((await rig.send(tracesOf(...spans))).kind).toBe("accepted");
    await rig.refiner.settled();
    const rows =
      await rig.sql`SELECT status, model_used, models_tried, image_generation_attempts, request_data::text AS asked FROM image_traces`;
    expect(rows).toMatchObject([
      { status: "completed", model_used: model, models_tried: [model], image_generation_attempts: [{ model, success: true, prompt }] },
    ]);
    expect(rows[0]?.["asked"]).toContain(prompt);
    expect(await rig.sql`SELECT content, media_type FROM blobs`).toEqual(bytes ? [{ content: PICTURE, media_type: "image/png" }] : []);
    expect(await rig.sql`SELECT direction, modality FROM outputs`).toEqual(bytes ? [{ direction: "output", modality: "image" }] : []);
    for (const table of ["generation_logs", "image_traces"]) {
      expect(await rig.sql`SELECT 1 FROM ${rig.sql(table)} t WHERE strpos(t::text, ${base64}) > 0`, table).toEqual([]);
    }
  });

  const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5" };
  const told = (part: object) =>
    logsOf({
      span: "call",
      name: "gen_ai.client.inference.operation.details",
      attributes: { "gen_ai.input.messages": asked, "gen_ai.output.messages": drawn(part) },
    });

  it.each<[string, object]>([
    ["as a part", { type: "blob", modality: "image", mime_type: "image/png", content: PIXEL }],
    ["in the provider's own shape", { type: "image_generation_call", id: "ig_1", result: PIXEL }],
    ["as the result of a tool of the provider's", { type: "tool_call_response", id: "ig_1", response: PIXEL }],
  ])("is one image trace when a log record tells of it, %s, before or after its call", async (_, part) => {
    const requests = [() => rig.send(told(part), "logs"), () => rig.send(tracesOf({ id: "call", attributes: chat }))];
    for (const order of [requests, requests.toReversed()]) {
      for (const send of order) await send();
      await rig.refiner.settled();
      expect(await rig.sql`SELECT status, model_used, request_data ->> 'model' AS model FROM image_traces`).toEqual([
        { status: "completed", model_used: "gpt-5", model: "gpt-5" },
      ]);
      expect(await rig.sql`SELECT direction, media_type, blob_hash IS NOT NULL AS named FROM outputs`).toEqual([
        { direction: "output", media_type: "image/png", named: true },
      ]);
      await rig.empty(...TABLES, "log_records");
    }
  });

  it("that was asked for and did not come is a failed image trace; a picture in the question is none", async () => {
    const shown = JSON.stringify([{ role: "user", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: PIXEL }] }]);
    await rig.send(
      tracesOf(
        { id: "asked", error: "blocked", attributes: { ...chat, "gen_ai.output.type": "image", "gen_ai.input.messages": asked } },
        { id: "shown", attributes: { ...chat, "gen_ai.input.messages": shown } },
      ),
    );
    await rig.refiner.settled();
    expect(await rig.sql`SELECT status, error_message, span_id FROM image_traces`).toEqual([
      { status: "failed", error_message: "blocked", span_id: spanIdOf("asked") },
    ]);
  });

  it("below an attempt of an image record of ours belongs to that record's trace", async () => {
    const drew = drawn({ type: "blob", modality: "image", mime_type: "image/png", content: PIXEL });
    await rig.send(
      tracesOf(
        { id: "image", attributes: { "genspan.record": "image", "genspan.image.request": JSON.stringify({ prompt }) } },
        { id: "try", parent: "image", attributes: { "genspan.record": "attempt", "genspan.attempt.number": 1 } },
        { id: "call", parent: "try", attributes: { ...chat, "gen_ai.output.messages": drew } },
      ),
    );
    await rig.refiner.settled();
    expect(await rig.sql`SELECT span_id FROM image_traces`).toEqual([{ span_id: spanIdOf("image") }]);
  });
});

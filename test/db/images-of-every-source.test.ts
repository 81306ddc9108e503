import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { type SpanSpec, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const PICTURE = Buffer.from("the bytes of a picture, of which none may stay in text");
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
});

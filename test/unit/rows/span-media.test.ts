import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { type SpanSpec, tracesOf } from "../../support/otlp-json.ts";

const PICTURE = randomBytes(3_000);
const BASE64 = PICTURE.toString("base64");
const URL = `data:image/png;base64,${BASE64}`;
const REFERENCE = `genspan-blob:${createHash("sha256").update(PICTURE).digest("hex")}`;
const json = JSON.stringify;
const asked = [
  {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: URL } },
    ],
  },
];

type Attributes = NonNullable<SpanSpec["attributes"]>;

const encode = (attributes: Attributes) => {
  const rows = rowsFromTraces(transcodeJson(Buffer.from(json(tracesOf({ id: "s", attributes }))), "traces"));
  return {
    attributes: rows.spans[0]!["attributes"] as Record<string, unknown>,
    blobs: rowsOf(rows.request, "blobs"),
    calls: rows.generations,
  };
};

/** Spans that carry the picture, by who sends them. */
const CALLS: Readonly<Record<string, Attributes>> = {
  Langfuse: {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.input": json(asked),
  },
  Logfire: { request_data: json({ model: "gpt-4o", messages: asked }), "gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai" },
  OpenInference: {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "input.value": json({ messages: asked }),
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "image",
    "llm.input_messages.0.message.contents.0.message_content.image.image.url": URL,
  },
  "Traceloop before its newest form": {
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": json(asked[0]!.content),
  },
};

describe("pictures in attributes of spans", () => {
  it.each(Object.entries(CALLS))("%s: the picture is stored once, and the span names it by its hash", (_, sent) => {
    const { attributes, blobs, calls } = encode(sent);
    expect(calls).toHaveLength(1);
    expect(json(calls[0]!["prompt_full_text"])).toContain(REFERENCE);
    expect(json(attributes)).not.toContain(BASE64);
    expect(json(attributes)).toContain(REFERENCE);
    expect(new Set(blobs.map((row) => (row["content"] as Buffer).toString("base64")))).toEqual(new Set([BASE64]));
  });

  it("a span around a call names the picture of its prompt by its hash", () => {
    const { attributes, blobs, calls } = encode({ "ai.operationId": "ai.generateText", "ai.prompt": json({ messages: asked }) });
    expect(calls).toEqual([]);
    expect(JSON.parse(String(attributes["ai.prompt"]))).toMatchObject({ messages: [{ content: [{}, { image_url: { url: REFERENCE } }] }] });
    expect(blobs).toMatchObject([{ content: PICTURE }]);
  });

  it("a plain text names the pictures within it by their hash", () => {
    const said = (image: string): string => `Look: ![a cat](${image}) and ![it again](${image}).`;
    const sent = { "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.prompt": said(URL) };
    const { attributes, blobs, calls } = encode(sent);
    expect(calls).toMatchObject([{ prompt_full_text: said(REFERENCE), prompt_format: "text" }]);
    expect(attributes["gen_ai.prompt"] ?? said(REFERENCE)).toBe(said(REFERENCE));
    expect(blobs).toMatchObject([{ content: PICTURE, media_type: "image/png" }]);
  });

  it.each([
    ["a span that has nothing to do with models", { upload: URL }],
    [
      "an image record of ours, whose own store takes it",
      { "genspan.record": "image", "genspan.image.response": json({ b64_json: BASE64 }) },
    ],
    [
      "text that only speaks of pictures",
      { "ai.operationId": "ai.generateText", "ai.prompt": json({ said: `mime_type ${"x".repeat(2_000)}` }) },
    ],
  ])("%s stays as it was sent", (_, sent) => {
    const { attributes, blobs } = encode(sent);
    expect(attributes).toEqual(sent);
    expect(blobs).toEqual([]);
  });
});

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { contentFromEvents } from "../../../collector/refinement/log-content.ts";
import { extractMedia } from "../../../collector/rows/message-media.ts";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { type LogSpec, logsOf, type SpanSpec, tracesOf } from "../../support/otlp-json.ts";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SOUND = Buffer.from(
  "RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\0\0\0",
  "latin1",
).toString("base64");
const LETTER = Buffer.from("%PDF-1.4 a letter of one page").toString("base64");
const UNKNOWN = Buffer.from("\x01\x02\x03 of a format that nobody knows \xfe\xff", "latin1").toString("base64");
const url = (mime: string, base64: string): string => `data:${mime};base64,${base64}`;

type Piece = Readonly<Record<string, unknown>>;

interface Shape {
  readonly piece: Piece;
  readonly base64: string;
  readonly says: Piece;
  /** It stands in the list of messages, not in the content of one. */
  readonly isItem?: boolean;
}

const image = (piece: Piece): Shape => ({ piece, base64: PIXEL, says: { modality: "image", mime_type: "image/png" } });
const sound = (piece: Piece): Shape => ({ piece, base64: SOUND, says: { modality: "audio", mime_type: "audio/wav" } });
const letter = (piece: Piece): Shape => ({ piece, base64: LETTER, says: { mime_type: "application/pdf" } });
const unknown = (piece: Piece): Shape => ({ piece, base64: UNKNOWN, says: { modality: "image", mime_type: "image/heic" } });

/** A picture, sound or file as each provider and framework writes it. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "a blob of the conventions": image({ type: "blob", modality: "image", mime_type: "image/png", content: PIXEL }),
  "a blob with its bytes as data": image({ type: "blob", modality: "image", mime_type: "image/png", data: PIXEL }),
  "an address of the conventions": image({ type: "uri", modality: "image", mime_type: "image/png", uri: url("image/png", PIXEL) }),
  "OpenAI's image_url": image({ type: "image_url", image_url: { url: url("image/png", PIXEL), detail: "low" } }),
  "image_url as a text": image({ type: "image_url", image_url: url("image/png", PIXEL) }),
  "an image with an image_url": image({ type: "image", image_url: url("image/png", PIXEL) }),
  "OpenAI's input_image": image({ type: "input_image", image_url: url("image/png", PIXEL) }),
  "OpenAI's input_audio": sound({ type: "input_audio", input_audio: { data: SOUND, format: "wav" } }),
  "OpenAI's file": letter({ type: "file", file: { filename: "a.pdf", file_data: url("application/pdf", LETTER) } }),
  "OpenAI's input_file": letter({ type: "input_file", filename: "a.pdf", file_data: url("application/pdf", LETTER) }),
  "OpenAI's generated picture": {
    ...image({ type: "image_generation_call", id: "ig_1", status: "completed", result: PIXEL }),
    isItem: true,
  },
  "Anthropic's image": image({ type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } }),
  "Anthropic's image of a format that is not known": unknown({
    type: "image",
    source: { type: "base64", media_type: "image/heic", data: UNKNOWN },
  }),
  "Anthropic's document": letter({ type: "document", source: { type: "base64", media_type: "application/pdf", data: LETTER } }),
  "Gemini's inlineData": image({ inlineData: { mimeType: "image/png", data: PIXEL } }),
  "Gemini's inline_data": image({ inline_data: { mime_type: "image/png", data: PIXEL } }),
  "Bedrock's image": image({ image: { format: "png", source: { bytes: PIXEL } } }),
  "the AI SDK's image": image({ type: "image", image: PIXEL, mediaType: "image/png" }),
  "the AI SDK's image without a media type": image({ type: "image", image: PIXEL }),
  "the AI SDK's file": letter({ type: "file", mediaType: "application/pdf", data: LETTER }),
  "the AI SDK's older file": sound({ type: "file", mimeType: "audio/wav", data: SOUND }),
  "the AI SDK's newer file": image({ type: "file", mediaType: "image/png", data: { type: "data", data: PIXEL } }),
  "LangChain's image": image({ type: "image", source_type: "base64", mime_type: "image/png", data: PIXEL }),
  "LangChain's newer audio": sound({ type: "audio", mime_type: "audio/wav", base64: SOUND }),
  "Genkit's media": image({ media: { url: url("image/png", PIXEL), contentType: "image/png" } }),
  "pydantic-ai's binary": image({ type: "binary", media_type: "image/png", content: PIXEL }),
};

type Attributes = NonNullable<SpanSpec["attributes"]>;
type Value = Attributes[string];

const json = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));
const model = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" };
const listed = ({ piece, isItem }: Shape): Value[] => [isItem === true ? piece : { role: "user", content: [piece] }] as Value[];
const inParts = ({ piece }: Shape): Value[] => [{ role: "user", parts: [piece] }] as Value[];

/** Where a span carries messages. */
const CARRIERS: Readonly<Record<string, (shape: Shape) => Omit<SpanSpec, "id">>> = {
  "messages with parts as text": (shape) => ({ attributes: { ...model, "gen_ai.input.messages": json(inParts(shape)) } }),
  "messages with parts, structured": (shape) => ({ attributes: { ...model, "gen_ai.input.messages": inParts(shape) } }),
  "messages with content as text": (shape) => ({ attributes: { ...model, "gen_ai.input.messages": json(listed(shape)) } }),
  "messages with content, structured": (shape) => ({ attributes: { ...model, "gen_ai.input.messages": listed(shape) } }),
  "OpenInference's input.value": (shape) => ({
    attributes: { "openinference.span.kind": "LLM", "llm.model_name": "m", "input.value": json({ messages: listed(shape) }) },
  }),
  "ai.prompt.messages": (shape) => ({
    attributes: { "ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "m", "ai.prompt.messages": json(listed(shape)) },
  }),
  "Langfuse's input": (shape) => ({
    attributes: {
      "langfuse.observation.type": "generation",
      "langfuse.observation.model.name": "m",
      "langfuse.observation.input": json(listed(shape)),
    },
  }),
  "Logfire's request_data": (shape) => ({ attributes: { ...model, request_data: json({ model: "m", messages: listed(shape) }) } }),
  "an older event": (shape) => ({
    attributes: model,
    events: [{ name: "gen_ai.user.message", attributes: { role: "user", content: json([shape.piece]) } }],
  }),
};

const hashOf = (base64: string): string => createHash("sha256").update(Buffer.from(base64, "base64")).digest("hex");
const matrix = (carriers: Readonly<Record<string, unknown>>): [string, string][] =>
  Object.keys(carriers).flatMap((carrier) => Object.keys(SHAPES).map((shape): [string, string] => [carrier, shape]));

/** The only part of the only message. */
const partOf = (messages: unknown): unknown => (JSON.parse(String(messages)) as { parts: unknown[] }[])[0]?.parts[0];

describe("binary content on a span", () => {
  it.each(matrix(CARRIERS))("%s: %s is stored once, by its hash, and named in message and span", (carrier, name) => {
    const shape = SHAPES[name]!;
    const sent = tracesOf({ id: "s", ...CARRIERS[carrier]!(shape) });
    const { generations, spans, request } = rowsFromTraces(transcodeJson(Buffer.from(json(sent)), "traces"));
    const hash = hashOf(shape.base64);
    expect(partOf(generations[0]?.["prompt_full_text"])).toMatchObject({ ...shape.says, type: "uri", uri: `genspan-blob:${hash}` });
    expect(
      rowsOf(request, "blobs").map((row) => [(row["hash"] as Buffer).toString("hex"), (row["content"] as Buffer).toString("base64")]),
    ).toEqual([[hash, shape.base64]]);
    expect(rowsOf(request, "outputs")).toMatchObject([{ direction: "input", blob_hash: Buffer.from(hash, "hex") }]);
    expect(json([generations, spans])).not.toContain(shape.base64);
  });
});

/** Where a log record carries messages. */
const EVENTS: Readonly<Record<string, (shape: Shape) => Pick<LogSpec, "name" | "body" | "attributes">>> = {
  "the body of an older event": ({ piece }) => ({ name: "gen_ai.user.message", body: { role: "user", content: [piece] } as Value }),
  "structured attributes": (shape) => ({
    name: "gen_ai.client.inference.operation.details",
    attributes: { "gen_ai.input.messages": inParts(shape) },
  }),
  "attributes as text": (shape) => ({
    name: "gen_ai.client.inference.operation.details",
    attributes: { "gen_ai.input.messages": json(listed(shape)) },
  }),
};

describe("binary content in a log record", () => {
  it.each(matrix(EVENTS))("%s: %s is stored once, by its hash, and named in the message", (carrier, name) => {
    const shape = SHAPES[name]!;
    const sent = logsOf({ span: "s", ...EVENTS[carrier]!(shape) });
    const request = encodeBody(transcodeJson(Buffer.from(json(sent)), "logs"), "logs");
    const [record] = rowsOf(request, "log_records");
    const event = {
      id: "e",
      spanId: "s",
      name: String(record?.["event_name"]),
      body: record?.["body"],
      attributes: record?.["attributes"] as Attributes,
      redacted: false,
    };
    const hash = hashOf(shape.base64);
    const prompt = contentFromEvents([event]).prompt?.["prompt_full_text"] ?? "";
    expect(partOf(prompt)).toMatchObject({ ...shape.says, type: "uri", uri: `genspan-blob:${hash}` });
    expect(extractMedia(prompt).media).toMatchObject([{ uri: `genspan-blob:${hash}` }]);
    expect(rowsOf(request, "blobs").map((row) => (row["content"] as Buffer).toString("base64"))).toEqual([shape.base64]);
    expect(json(record)).not.toContain(shape.base64);
  });
});

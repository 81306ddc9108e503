import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { createLogWalker } from "../../../collector/otlp/decode-protobuf.ts";
import { createLogView } from "../../../collector/otlp/span-view.ts";
import { takeMedia } from "../../../collector/rows/log-media.ts";
import { type LogSpec, logsOf } from "../../support/otlp-json.ts";

type Value = NonNullable<LogSpec["body"]>;

/** What is taken out of a record with this body. */
function taken(body: Value) {
  const view = createLogView();
  const walker = createLogWalker(view);
  walker.open(transcodeJson(Buffer.from(JSON.stringify(logsOf({ span: "s", name: "gen_ai.user.message", body }))), "logs"));
  expect(walker.next()).toBe("item");
  return takeMedia(view);
}

const uriOf = (bytes: Buffer): string => `genspan-blob:${createHash("sha256").update(bytes).digest("hex")}`;
const BYTES = Buffer.from("bytes");
const base64 = BYTES.toString("base64");

it.each<[string, Value, unknown]>([
  ["a data: URL at any depth", { a: [{ b: `data:image/png;base64,${base64}` }] }, { a: [{ b: uriOf(BYTES) }] }],
  [
    "an answer of OpenAI's",
    { data: [{ b64_json: base64, revised_prompt: "cat" }] },
    { data: [{ b64_json: uriOf(BYTES), revised_prompt: "cat" }] },
  ],
  [
    "a source of Anthropic's",
    { media_type: "image/png", data: base64, type: "base64" },
    { media_type: "image/png", data: uriOf(BYTES), type: "base64" },
  ],
  [
    "inline data of Google's",
    { inlineData: { mimeType: "audio/wav", data: base64 } },
    { inlineData: { mimeType: "audio/wav", data: uriOf(BYTES) } },
  ],
  ["sound of OpenAI's", { input_audio: { format: "wav", data: base64 } }, { input_audio: { format: "wav", data: uriOf(BYTES) } }],
])("%s is named by its hash, and the rest stays", (_, body, without) => {
  const { body: left, blobs } = taken(body);
  expect(JSON.parse(left ?? "null")).toEqual(without);
  expect(blobs.map(({ content }) => content)).toEqual([BYTES]);
});

it.each<[string, Value]>([
  ["text that speaks of blobs", "a blob is no picture"],
  ["data without a media type", { data: base64, note: "blob" }],
  ["a part with text that is no base64", { type: "blob", mime_type: "image/png", content: "not base64!" }],
  ["nothing at all in a part", { type: "blob", mime_type: "image/png", content: "" }],
])("%s stays as it was sent", (_, body) => {
  expect(taken(body)).toEqual({ body: undefined, blobs: [] });
});

it("two pictures that are the same are one blob", () => {
  expect(taken([`data:image/png;base64,${base64}`, `data:image/png;base64,${base64}`]).blobs).toHaveLength(1);
});

it("whatever a body holds, taking is safe and what is left is JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const { body, blobs } = taken({
        type: "blob",
        mime_type: "x",
        content: base64,
        more: JSON.stringify(value),
        deep: [`${JSON.stringify(value)}`],
      });
      expect(blobs).toHaveLength(1);
      expect(JSON.parse(body ?? "")).toMatchObject({ type: "uri", uri: uriOf(BYTES), more: JSON.stringify(value) });
    }),
  );
});

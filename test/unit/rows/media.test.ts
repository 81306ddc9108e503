import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BLOB_SCHEME, MAX_BLOB_BYTES } from "../../../collector/rows/blobs.ts";
import { extractMedia } from "../../../collector/rows/message-media.ts";
import { rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { recording } from "../../support/recordings.ts";

const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const messages = (...parts: object[]): string => JSON.stringify([{ role: "user", parts }]);
const partsOf = (text: string | undefined): object[] => (JSON.parse(text ?? "[]") as { parts: object[] }[])[0]!.parts;

describe("binary content of messages", () => {
  it("a blob part becomes a reference by hash, and everything else about it stays", () => {
    const { text, media } = extractMedia(
      messages(
        { type: "text", content: "What is this?" },
        { type: "blob", modality: "image", mime_type: "image/png", content: PIXEL.toString("base64"), detail: "low" },
      ),
    );
    expect(partsOf(text)).toEqual([
      { type: "text", content: "What is this?" },
      {
        type: "uri",
        modality: "image",
        mime_type: "image/png",
        uri: `${BLOB_SCHEME}${sha256(PIXEL)}`,
        size_bytes: PIXEL.length,
        detail: "low",
      },
    ]);
    expect(media).toMatchObject([{ modality: "image", mediaType: "image/png", uri: undefined }]);
    expect(media[0]?.blob?.content.equals(PIXEL)).toBe(true);
  });

  it("a data: URL is the same blob", () => {
    const { media } = extractMedia(messages({ type: "uri", modality: "image", uri: `data:image/png;base64,${PIXEL.toString("base64")}` }));
    expect(media[0]?.blob?.sha256.toString("hex")).toBe(sha256(PIXEL));
    expect(media[0]?.mediaType).toBe("image/png");
  });

  it("a link is noted and stays in the message", () => {
    const { text, media } = extractMedia(messages({ type: "uri", modality: "image", uri: "https://example.org/cat.png" }));
    expect(text).toBeUndefined();
    expect(media).toEqual([{ modality: "image", mediaType: undefined, blob: undefined, uri: "https://example.org/cat.png" }]);
  });

  it.each([
    ["no base64", "not base64!"],
    ["one digit too many", "AAAAA"],
    ["nothing", ""],
  ])("content that is %s stays as it was sent", (_, content) => {
    expect(extractMedia(messages({ type: "blob", modality: "image", mime_type: null, content }))).toEqual({ text: undefined, media: [] });
  });

  it("what is larger than the bound leaves its hash and size, and no bytes", () => {
    const large = Buffer.alloc(MAX_BLOB_BYTES + 1, 7);
    const { text, media } = extractMedia(
      messages({ type: "blob", modality: "video", mime_type: "video/mp4", content: large.toString("base64") }),
    );
    expect(media[0]).toMatchObject({ blob: undefined, uri: `${BLOB_SCHEME}${sha256(large)}` });
    expect(partsOf(text)[0]).toMatchObject({ size_bytes: large.length });
  });

  it("text that is no list of messages is left alone", () => {
    for (const text of ["", "{", '"x"', "[1, null]", '[{"parts": 3}]', '[{"role":"user","parts":[null, 4, {"type":"blob"}]}]']) {
      expect(extractMedia(text)).toEqual({ text: undefined, media: [] });
    }
  });

  it("any bytes come back from their base64, standard or URL-safe", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.constantFrom("base64" as const, "base64url" as const),
        (bytes, form) => {
          const content = Buffer.from(bytes);
          const { media } = extractMedia(
            messages({ type: "blob", modality: "image", mime_type: "image/png", content: content.toString(form) }),
          );
          expect(media[0]?.blob?.content.equals(content)).toBe(true);
        },
      ),
    );
  });

  it("the recorded call with an image stores its bytes once, and neither message nor span repeats them", () => {
    const { generations, spans, request } = rowsFromTraces(recording("vercel-otel", "generateText-image-input").body);
    const call = generations[0]!;
    const outputs = rowsOf(request, "outputs");
    const blobs = rowsOf(request, "blobs");
    expect(outputs.length).toBeGreaterThan(0);
    expect(outputs[0]).toMatchObject({ direction: "input", modality: "image" });
    const hashes = (rows: readonly Record<string, unknown>[], column: string): Set<string> =>
      new Set(rows.map((row) => (row[column] as Buffer).toString("hex")));
    expect(hashes(blobs, "hash")).toEqual(hashes(outputs, "blob_hash"));
    expect(String(call["prompt_full_text"])).toContain(BLOB_SCHEME);
    const base64 = (blobs[0]!["content"] as Buffer).toString("base64");
    expect(String(call["prompt_full_text"])).not.toContain(base64);
    const own = spans.find((span) => span["span_id"] === call["span_id"]);
    expect(JSON.stringify(own?.["attributes"])).not.toContain(base64);
  });
});

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { pictureFacts } from "../../../../sdk/images/picture.ts";

const bytes = (...parts: (string | number)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.alloc(part))));

describe("a picture", () => {
  it.each([
    ["image/png", bytes("\x89PNG\r\n\x1a\n", 100)],
    ["image/jpeg", bytes("\xff\xd8\xff\xe0", 100)],
    ["image/gif", bytes("GIF89a", 100)],
    ["image/webp", bytes("RIFF", 4, "WEBPVP8 ", 100)],
    ["image/avif", bytes(4, "ftypavif", 100)],
    ["image/svg+xml", bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    [undefined, bytes("hello")],
    [undefined, bytes(0)],
  ])("of type %s is told by its first bytes, its size and its hash", (mimeType, image) => {
    const sha256 = createHash("sha256").update(image).digest("hex");
    expect(pictureFacts(image)).toEqual({ sizeBytes: image.length, sha256, mimeType });
  });

  it("that is a part of a larger buffer is told alone", () => {
    const whole = bytes("xx", "GIF89a", "yy");
    expect(pictureFacts(whole.subarray(2, 8))).toMatchObject({ sizeBytes: 6, mimeType: "image/gif" });
  });
});

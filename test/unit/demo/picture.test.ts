import { crc32, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { drawPicture } from "../../../collector/demo/picture.ts";

const SIDE = 96;

/** The chunks of a PNG by type; throws where one's checksum is wrong. */
function chunksOf(png: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    if (crc32(body) !== png.readUInt32BE(at + 8 + length)) throw new Error("wrong checksum");
    chunks.set(body.toString("latin1", 0, 4), body.subarray(4));
    at += length + 12;
  }
  return chunks;
}

describe("a picture of the demo", () => {
  const png = drawPicture({ subject: 2, variant: 3 });

  it("is a PNG that a reader of the format understands", () => {
    expect(png.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    const chunks = chunksOf(png);
    expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
    expect([...chunks.get("IHDR")!]).toEqual([0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 3, 0, 0, 0]);
    const pixels = inflateSync(chunks.get("IDAT")!);
    expect(pixels).toHaveLength(SIDE * (SIDE + 1));
    expect(new Set(pixels)).toEqual(new Set([0, 1, 2, 3]));
    expect(chunks.get("PLTE")).toHaveLength(4 * 3);
  });

  it("is the same for the same motif, and another for another", () => {
    expect(drawPicture({ subject: 2, variant: 3 })).toEqual(png);
    expect(drawPicture({ subject: 2, variant: 4 })).not.toEqual(png);
    expect(drawPicture({ subject: 3, variant: 3 })).not.toEqual(png);
  });
});

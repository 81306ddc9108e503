import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type InflateResult, inflateBody as inflate } from "../../../collector/receivers/inflate.ts";

const LIMIT = 4 * 1024 * 1024;
const inflateBody = (body: Buffer, encoding: string, maxBytes: number): Promise<InflateResult> =>
  inflate(body, encoding, { maxBytes, makeRoom: () => true });
const text = (size: number): Buffer =>
  Buffer.from(Array.from({ length: Math.ceil(size / 8) }, (_, i) => String(i).padStart(8)).join("")).subarray(0, size);

describe("inflating", () => {
  it.each([0, 1, 1_023, 1_024, 1_025, 100_000, 1_000_000])("gives back %i bytes from every encoding", async (size) => {
    const body = text(size);
    for (const [encoding, zipped] of [
      ["gzip", gzipSync(body)],
      ["deflate", deflateSync(body)],
      ["zstd", zstdCompressSync(body)],
      ["identity", body],
    ] as const) {
      expect(await inflateBody(zipped, encoding, LIMIT)).toEqual({ bytes: body });
    }
  });

  it("reads what grows far more than the room that was made for it", async () => {
    const body = Buffer.alloc(LIMIT, "a");
    expect(await inflateBody(gzipSync(body), "gzip", LIMIT)).toEqual({ bytes: body });
    expect(await inflateBody(gzipSync(body), "gzip", LIMIT - 1)).toEqual({ failure: "too_large" });
  });

  it("takes the announced size for a hint and nothing more", async () => {
    const small = gzipSync(text(10));
    const large = gzipSync(text(100_000));
    expect(await inflateBody(Buffer.concat([large, small]), "gzip", LIMIT)).toEqual({ bytes: Buffer.concat([text(100_000), text(10)]) });
    const lying = Buffer.from(large);
    lying.writeUInt32LE(0xffffffff, lying.length - 4);
    expect(await inflateBody(lying, "gzip", LIMIT)).toEqual({ failure: "corrupt" });
  });

  it("inflates off the thread what is large, with the same result", async () => {
    const noise = randomBytes(500_000);
    const zipped = gzipSync(noise);
    expect(zipped.length).toBeGreaterThan(256 * 1024);
    expect(await inflateBody(zipped, "gzip", LIMIT)).toEqual({ bytes: noise });
    expect(await inflateBody(zipped.subarray(0, -9), "gzip", LIMIT)).toEqual({ failure: "corrupt" });
  });

  it("gives many large bodies at once, each its own", async () => {
    const bodies = Array.from({ length: 12 }, (_, i) => Buffer.alloc(LIMIT, i));
    const inflated = await Promise.all(bodies.map((body) => inflateBody(gzipSync(body), "gzip", LIMIT + 1)));
    expect(inflated.map((result) => "bytes" in result && result.bytes.every((byte, _, all) => byte === all[0]))).toEqual(
      bodies.map(() => true),
    );
    expect(inflated.map((result) => "bytes" in result && result.bytes[0])).toEqual(bodies.map((_, i) => i));
  });
});

describe("inflating where memory is short", () => {
  it("MEM-01 is not begun where there is no room for what a body announces", async () => {
    const asked: number[] = [];
    const makeRoom = (bytes: number): boolean => {
      asked.push(bytes);
      return false;
    };
    // Announces the size of its last member, and would come to more.
    const body = Buffer.concat([gzipSync(text(100_000)), gzipSync(text(10))]);
    expect(await inflate(body, "gzip", { maxBytes: LIMIT, makeRoom })).toEqual({ failure: "overload" });
    expect(asked).toEqual([10]);
  });

  it("MEM-01 ends where a body grows beyond what it announced and there is no room for that", async () => {
    const understating = Buffer.concat([gzipSync(text(100_000)), gzipSync(text(10))]);
    const limits = { maxBytes: LIMIT, makeRoom: (bytes: number) => bytes <= 1_000 };
    expect(await inflate(understating, "gzip", limits)).toEqual({ failure: "overload" });
  });
});

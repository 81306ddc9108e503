import { createHash } from "node:crypto";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createByteBudget } from "../../../collector/receivers/byte-budget.ts";
import { readIncoming, readStream } from "../../../collector/receivers/read-body.ts";

const KIB = 1024;
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Chunks of these sizes with content that tells them apart. */
const chunksOf = (sizes: readonly number[]): Buffer[] => sizes.map((size, i) => Buffer.alloc(size, `${i}-${size};`));

/** A Node request that gets its body in these pieces. */
function incomingWith(chunks: readonly Buffer[], headers: Record<string, string>) {
  const incoming = new IncomingMessage(new Socket());
  Object.assign(incoming.headers, headers);
  for (const chunk of chunks) incoming.push(chunk);
  incoming.push(null);
  return { incoming, outgoing: new ServerResponse(incoming) };
}

const sizes = fc.array(fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 400 * KIB }), fc.constant(64 * KIB)), { maxLength: 24 });

describe("a body that comes in pieces", () => {
  it("is what was sent, whatever was declared of its length", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom("told", "untold", "nonsense"), async (pieces, kind) => {
        const chunks = chunksOf(pieces);
        const whole = Buffer.concat(chunks);
        const budget = createByteBudget(64 * KIB * KIB);
        const headers: Record<string, string> =
          kind === "untold" ? {} : { "content-length": kind === "told" ? String(whole.length) : "many" };
        const { incoming, outgoing } = incomingWith(chunks, headers);
        const read = await readIncoming(incoming, outgoing, { maxBytes: 64 * KIB * KIB, budget });
        expect("bytes" in read && digest(read.bytes)).toBe(digest(whole));
        const streamed = await readStream(new Blob(chunks.map((chunk) => new Uint8Array(chunk))).stream(), {
          maxBytes: 64 * KIB * KIB,
          budget,
        });
        expect("bytes" in streamed && digest(streamed.bytes)).toBe(digest(whole));
      }),
      { numRuns: 60 },
    );
  });

  it("leaves nothing taken of the budget where it is too large or there is no memory for it", async () => {
    const chunks = chunksOf([300 * KIB, 300 * KIB, 300 * KIB]);
    for (const [limits, failure] of [
      [{ maxBytes: 700 * KIB, capacity: 2_000 * KIB }, "too_large"],
      [{ maxBytes: 2_000 * KIB, capacity: 700 * KIB }, "overload"],
    ] as const) {
      const budget = createByteBudget(limits.capacity);
      const { incoming, outgoing } = incomingWith(chunks, {});
      expect(await readIncoming(incoming, outgoing, { maxBytes: limits.maxBytes, budget })).toEqual({ failure });
      expect(budget.take(limits.capacity)).toBe(true);
    }
  });
});

import type { IncomingMessage, ServerResponse } from "node:http";
import { sharedBuffers } from "../base/buffer-pool.ts";
import type { ByteBudget } from "./byte-budget.ts";

/** A body, or why there is none: over its limit, no memory for it now, or the sender went away. */
export type BodyResult = { readonly bytes: Buffer } | { readonly failure: "too_large" | "overload" | "aborted" };

export interface BodyLimits {
  readonly maxBytes: number;
  /** What was read is taken from here; the caller gives back `bytes.length`, also here on failure nothing stays taken. */
  readonly budget: ByteBudget;
}

/** Gathers chunks within limits. `add` answers false when reading must end. */
function createGatherer({ maxBytes, budget }: BodyLimits) {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk: Buffer): "too_large" | "overload" | undefined {
      if (size + chunk.length > maxBytes) return "too_large";
      if (!budget.take(chunk.length)) return "overload";
      size += chunk.length;
      chunks.push(chunk);
      return undefined;
    },
    /** One chunk is used as it came; several are copied together once. */
    finish: (): BodyResult => ({ bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : joined(chunks, size) }),
    fail(failure: "too_large" | "overload" | "aborted"): BodyResult {
      budget.give(size);
      return { failure };
    },
  };
}

function joined(chunks: readonly Buffer[], size: number): Buffer {
  const bytes = sharedBuffers.take(size);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(bytes, at);
  return bytes.subarray(0, size);
}

/**
 * Reads a request's body straight from Node's stream. A sender that waits for `100 Continue` gets it only now, when its headers have been accepted.
 * The stream is left as it is on failure: destroying it would close the socket before the answer is read.
 */
export function readIncoming(incoming: IncomingMessage, outgoing: ServerResponse, limits: BodyLimits): Promise<BodyResult> {
  const gatherer = createGatherer(limits);
  return new Promise((resolve) => {
    const settle = (result: BodyResult): void => {
      incoming.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      incoming.on("error", ignore);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      const failure = gatherer.add(chunk);
      if (failure === undefined) return;
      incoming.pause();
      settle(gatherer.fail(failure));
    };
    const onEnd = (): void => settle(gatherer.finish());
    const onClose = (): void => settle(gatherer.fail("aborted"));
    if (incoming.destroyed) return onClose();
    if (incoming.headers.expect?.toLowerCase() === "100-continue") outgoing.writeContinue();
    incoming.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}

const ignore = (): void => undefined;

/** The same for a web stream, where no Node request lies below. */
export async function readStream(stream: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<BodyResult> {
  const gatherer = createGatherer(limits);
  if (stream === null) return gatherer.finish();
  try {
    for await (const chunk of stream) {
      const failure = gatherer.add(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      if (failure !== undefined) return gatherer.fail(failure);
    }
    return gatherer.finish();
  } catch {
    return gatherer.fail("aborted");
  }
}

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

/** Memory for a body whose end is not in sight: it grows with what has come, whatever was declared. */
const FIRST_STEP_BYTES = 256 * 1024;
const GROWTH = 4;

/**
 * Gathers chunks within limits; `add` answers false when reading must end. A single chunk is used as it came. More are copied together as they come, so that
 * Node's own buffers die young: kept until the end, they cost full garbage collections.
 */
function createGatherer({ maxBytes, budget, declaredBytes }: BodyLimits & { readonly declaredBytes: number | undefined }) {
  let only: Buffer | undefined;
  let memory: Buffer | undefined;
  let size = 0;

  /** As large as the whole body once a good part of it is there. */
  function room(needed: number): number {
    const next = Math.max(FIRST_STEP_BYTES, (memory?.length ?? 0) * GROWTH, needed);
    return declaredBytes !== undefined && declaredBytes >= needed && declaredBytes <= next * GROWTH ? declaredBytes : next;
  }

  function append(chunk: Buffer, at: number): void {
    if (memory === undefined || memory.length < at + chunk.length) {
      const grown = sharedBuffers.take(room(at + chunk.length));
      memory?.copy(grown, 0, 0, at);
      if (memory !== undefined) sharedBuffers.give(memory);
      memory = grown;
    }
    chunk.copy(memory, at);
  }

  return {
    add(chunk: Buffer): "too_large" | "overload" | undefined {
      if (size + chunk.length > maxBytes) return "too_large";
      if (!budget.take(chunk.length)) return "overload";
      if (size === 0) only = chunk;
      else {
        if (only !== undefined) append(only, 0);
        only = undefined;
        append(chunk, size);
      }
      size += chunk.length;
      return undefined;
    },
    finish: (): BodyResult => ({ bytes: only ?? memory?.subarray(0, size) ?? Buffer.alloc(0) }),
    fail(failure: "too_large" | "overload" | "aborted"): BodyResult {
      budget.give(size);
      if (memory !== undefined) sharedBuffers.give(memory);
      return { failure };
    },
  };
}

/**
 * Reads a request's body straight from Node's stream. A sender that waits for `100 Continue` gets it only now, when its headers have been accepted.
 * The stream is left as it is on failure: destroying it would close the socket before the answer is read.
 */
export function readIncoming(incoming: IncomingMessage, outgoing: ServerResponse, limits: BodyLimits): Promise<BodyResult> {
  const gatherer = createGatherer({ ...limits, declaredBytes: Number(incoming.headers["content-length"] ?? 0) || undefined });
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
  const gatherer = createGatherer({ ...limits, declaredBytes: undefined });
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

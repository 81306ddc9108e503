import { gunzip, gunzipSync, inflate, inflateSync, type ZlibOptions, zstdDecompress, zstdDecompressSync } from "node:zlib";
import { sharedBuffers } from "../base/buffer-pool.ts";

/** A body as the codec reads it, or why it cannot be. */
export type InflateResult = { readonly bytes: Buffer } | { readonly failure: "too_large" | "corrupt" | "unsupported" | "overload" };

export interface InflateLimits {
  readonly maxBytes: number;
  /** Makes room for so many bytes of output in all, or says that there is none. Asked for what the body announces, and then for what it really was. */
  readonly makeRoom: (bytes: number) => boolean;
}

interface Options extends ZlibOptions {
  readonly maxOutputLength: number;
}

/** With `info`, zlib also gives the engine, which knows how many bytes of the input it used. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

interface Codec {
  readonly sync: (input: Buffer, options: Options) => Inflated;
  readonly async: (input: Buffer, options: Options, done: (error: Error | null, result: Inflated) => void) => void;
}

/** The Content-Encodings that are understood, besides none; OTLP demands gzip only (otlp-rules H7). */
const CODECS: ReadonlyMap<string, Codec> = new Map(
  Object.entries({
    gzip: { sync: gunzipSync, async: gunzip },
    "x-gzip": { sync: gunzipSync, async: gunzip },
    deflate: { sync: inflateSync, async: inflate },
    zstd: { sync: zstdDecompressSync, async: zstdDecompress },
  }) as unknown as [string, Codec][],
);

export const ENCODINGS: readonly string[] = ["identity", ...CODECS.keys()];

/** A small body costs less on this thread than the way to another one; a large one would stop everybody for tens of milliseconds. */
const ASYNC_ABOVE_BYTES = 256 * 1024;
/** The same, by what the body says it grows to. */
const ASYNC_ABOVE_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Off this thread at the same time. Each may fill memory up to the limit of a request before anybody knows what it comes to. */
const MAX_OFF_THREAD = 2;
const MIN_CHUNK_BYTES = 1024;
/** Telemetry shrinks to about a third or less. */
const EXPECTED_GROWTH = 4;
/** More than that is not believed beforehand: room for it is made when it comes. */
const MAX_GROWTH = 16;

/** A gzip body ends with the size of its last member (RFC 1952), modulo 2^32 and at the sender's word, which may cost room and nothing else. */
function announcedSize(body: Buffer): number {
  const isGzip = body.length >= 18 && body[0] === 0x1f && body[1] === 0x8b;
  return isGzip ? body.readUInt32LE(body.length - 4) : body.length * EXPECTED_GROWTH;
}

/**
 * Copies what zlib made into memory of the pool. The copy costs a hundredth of the inflating; kept until its commit, every output would
 * grow old and be collected only by full collections.
 */
function intoPool(output: Buffer): Buffer {
  const bytes = sharedBuffers.take(output.length);
  output.copy(bytes);
  return bytes.subarray(0, output.length);
}

/**
 * Inflates a body, never beyond `maxBytes` of output. Several gzip members one after the other are all read (reading only the first
 * would lose data in silence); bytes that belong to no member make the body corrupt.
 */
export async function inflateBody(body: Buffer, contentEncoding: string, { maxBytes, makeRoom }: InflateLimits): Promise<InflateResult> {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return { bytes: body };
  const codec = CODECS.get(encoding);
  if (codec === undefined) return { failure: "unsupported" };
  const announced = Math.min(announcedSize(body), maxBytes);
  if (!makeRoom(announced)) return { failure: "overload" };
  // One chunk instead of several spares copies.
  const chunkSize = Math.min(Math.max(Math.min(announced, body.length * MAX_GROWTH), MIN_CHUNK_BYTES), maxBytes) + 1;
  const options = { maxOutputLength: maxBytes, chunkSize, info: true };
  try {
    const { buffer, engine } =
      body.length > ASYNC_ABOVE_BYTES || announced > ASYNC_ABOVE_OUTPUT_BYTES
        ? await offThread(codec, body, options)
        : codec.sync(body, options);
    if (engine.bytesWritten !== body.length) return { failure: "corrupt" };
    return makeRoom(buffer.length) ? { bytes: intoPool(buffer) } : { failure: "overload" };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return { failure: code === "ERR_BUFFER_TOO_LARGE" ? "too_large" : "corrupt" };
  }
}

const waiting: (() => void)[] = [];
let offThreadNow = 0;

/** One after the other beyond MAX_OFF_THREAD, in the order in which they came. */
async function offThread(codec: Codec, body: Buffer, options: Options): Promise<Inflated> {
  if (offThreadNow >= MAX_OFF_THREAD) await new Promise<void>((resolve) => waiting.push(resolve));
  else offThreadNow++;
  try {
    return await new Promise((resolve, reject) =>
      codec.async(body, options, (error, result) => (error === null ? resolve(result) : reject(error))),
    );
  } finally {
    const next = waiting.shift();
    if (next === undefined) offThreadNow--;
    else next();
  }
}

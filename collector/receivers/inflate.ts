import { constants, gunzip, gunzipSync, inflate, inflateSync, type ZlibOptions, zstdDecompress, zstdDecompressSync } from "node:zlib";

/** A body as the codec reads it, or why it cannot be. */
export type InflateResult = { readonly bytes: Buffer } | { readonly failure: "too_large" | "corrupt" | "unsupported" };

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
/** One output chunk instead of many spares copies: telemetry shrinks to about a third or less. */
const EXPECTED_GROWTH = 4;

/**
 * Inflates a body, never beyond `maxBytes` of output. Several gzip members one after the other are all read (reading only the first
 * would lose data in silence); bytes that belong to no member make the body corrupt.
 */
export async function inflateBody(body: Buffer, contentEncoding: string, maxBytes: number): Promise<InflateResult> {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return { bytes: body };
  const codec = CODECS.get(encoding);
  if (codec === undefined) return { failure: "unsupported" };
  const chunkSize = Math.min(Math.max(body.length * EXPECTED_GROWTH, constants.Z_DEFAULT_CHUNK), maxBytes + 1);
  const options = { maxOutputLength: maxBytes, chunkSize: Math.max(chunkSize, 64), info: true };
  try {
    const { buffer, engine } = body.length > ASYNC_ABOVE_BYTES ? await offThread(codec, body, options) : codec.sync(body, options);
    return engine.bytesWritten === body.length ? { bytes: buffer } : { failure: "corrupt" };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return { failure: code === "ERR_BUFFER_TOO_LARGE" ? "too_large" : "corrupt" };
  }
}

const offThread = (codec: Codec, body: Buffer, options: Options): Promise<Inflated> =>
  new Promise((resolve, reject) => codec.async(body, options, (error, result) => (error === null ? resolve(result) : reject(error))));

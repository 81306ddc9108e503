/** Bounds that hold everywhere. Sizes in bytes, times in milliseconds; what a configuration may change says so. */

/** OTLP recommends 64 MiB for a request, measured also after inflating (otlp-rules H9); receivers: max_request_body_size. */
export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

/** No configuration raises it further: half of what a JavaScript string may hold, and as much as PostgreSQL takes in one text of a jsonb value. */
export const LARGEST_REQUEST_BYTES = 256 * 1024 * 1024;

/** Nested attribute values below this depth are cut, and the span says so in `ingest_notes`. */
export const MAX_VALUE_DEPTH = 64;

/**
 * A request is answered within this time: a JavaScript exporter waits 10 s and does not retry a time-out (reliability contract 5). Later only by as much as the
 * event loop stands still, which takes one hostile item of tens of megabytes.
 */
export const REQUEST_DEADLINE_MS = 8_000;

/** A write to the database that takes longer is given up together with its connection. */
export const WRITE_DEADLINE_MS = 5_000;

/**
 * A call that was announced this long ago and never ended is not running any more (exporters.postgres: pending_timeout); one that runs longer completes its row
 * all the same when it ends.
 */
export const PENDING_TIMEOUT_MS = 3_600_000;

/** Decoding and encoding give way to other requests after this long, between two items, and so does the look for secrets; one item is done in one go, and so is one text that a pattern of the user's is looked for in. */
export const YIELD_AFTER_MS = 20;

/** A batch for one COPY closes at this size; a larger request is cut into several. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Request bytes and row bytes waiting for a commit; above it the answer is 429 (exporters.postgres: max_pending_bytes). */
export const MAX_PENDING_BYTES = 192 * 1024 * 1024;

/**
 * Bodies between their decoding and their commit at once; the rest waits as it came. Rows take twice as much again, and more of them than the sessions can
 * write would only take memory.
 */
export const MAX_WORKING_BYTES = 12 * 1024 * 1024;

/** Bodies in memory at once, from their first byte to their answer; who comes then is read a little later, but read in any case. */
export const MAX_BODIES_BYTES = 24 * 1024 * 1024;
export const MAX_READING_WAIT_MS = 2_000;

/** An error message in an answer stays far below the 4 MiB an OTLP client reads (otlp-rules H20). */
export const MAX_MESSAGE_CHARS = 2_000;

import { MAX_BATCH_BYTES, MAX_PENDING_BYTES, PENDING_TIMEOUT_MS, WRITE_DEADLINE_MS } from "../../base/limits.ts";
import { durationMillis, integer, oneOf, postgresUrl, text } from "../scalars.ts";
import { field, optional, section } from "../shape.ts";

const MIB = 1024 * 1024;

export const postgres = section({
  /** Sessions that write at the same time. */
  connections: field(integer(1, 16), 2),
  /** Request and row bytes that may wait for a commit; above it senders are told to come back. */
  max_pending_bytes: field(integer(MIB), MAX_PENDING_BYTES),
  /** Size at which a batch closes. */
  max_batch_bytes: field(integer(64 * 1024, 64 * MIB), MAX_BATCH_BYTES),
  /** A request not committed after this long is answered with a retryable failure. */
  write_timeout: field(durationMillis(1), WRITE_DEADLINE_MS),
  /** A call that was announced this long ago and never ended becomes a timeout. */
  pending_timeout: field(durationMillis(1_000), PENDING_TIMEOUT_MS),
  /** A login for all reads, in place of the one that genspan makes for itself. */
  read_url: optional(postgresUrl),
  /** Telemetry older than this is removed; 0 removes nothing. */
  retention: field(durationMillis(), 0),
  /** Prompts, answers and other content older than this leave their rows, whose numbers stay; 0 keeps them. */
  content_retention: field(durationMillis(), 0),
  /** A folder in which that content is kept, compressed; without it, it is gone. */
  content_archive: optional(text),
});

const VERBOSITIES = ["basic", "normal", "detailed"] as const;
type Verbosity = (typeof VERBOSITIES)[number];

export const debug = section(
  {
    /** basic: a line per request · normal: also one per row, without content · detailed: everything, prompts and answers too. */
    verbosity: field(oneOf(...VERBOSITIES), "basic" as Verbosity),
    /** Requests written in full each second, … */
    sampling_initial: field(integer(0), 2),
    /** … and then every so manieth. */
    sampling_thereafter: field(integer(0), 1),
  },
  { use_internal_logger: "lines go to the log on standard error" },
);

import { sharedBuffers } from "../base/buffer-pool.ts";
import type { ByteWriter } from "../base/byte-writer.ts";
import type { Signal } from "../base/signal.ts";
import type { TableSpec } from "./table-spec.ts";
import type { TraceMark } from "./trace-marks.ts";

/** Rows of one table in PostgreSQL's binary COPY form, without the stream's header and trailer. */
export interface RowSet {
  readonly table: TableSpec;
  /** The rows one after another. Row i is `bytes.buffer[starts[i], starts[i + 1] ?? bytes.length)`. */
  readonly bytes: ByteWriter;
  readonly starts: number[];
  /** Item (span, log record) of the request that row i came from. Rows of one item are stored together or not at all. */
  readonly items: number[];
}

/** A resource or a scope, stored once per content. */
export interface SharedRow {
  readonly table: "resources" | "scopes";
  readonly projectId: number;
  /** 32 hexadecimal digits of the content's hash: a uuid for PostgreSQL. */
  readonly id: string;
  /** Canonical JSON text of the attributes. */
  readonly attributes: string;
  readonly schemaUrl: string | null;
  readonly droppedAttributesCount: number | null;
  /** Only for scopes. */
  readonly name: string | null;
  readonly version: string | null;
  /** What of it had to be mended: noted on each item below it, since it is stored once for all. */
  readonly mended?: readonly OriginNote[];
}

/** A mended value of a resource or scope: its path, and flags as `IngestNotes.mended` takes them. */
export interface OriginNote {
  readonly path: string;
  readonly flags: number;
}

/** One request turned into rows, ready to be written; pure data, owned by the exporter from here on. */
export interface EncodedRequest {
  readonly signal: Signal;
  readonly projectId: number;
  /** Items in the request, whatever became of them. */
  readonly received: number;
  /** The request's protobuf bytes (transcoded if it came as JSON); `itemAt` slices them. Kept for `ingest_rejected`. */
  readonly raw: Buffer;
  /** Start and end in `raw` of item i: `itemAt[2 * i]`, `itemAt[2 * i + 1]`. */
  readonly itemAt: readonly number[];
  /** Rows whose key no earlier record can hold, unless this is a resend: straight COPY. */
  readonly fresh: readonly RowSet[];
  /** Rows that may meet an older row by design (a span without a usable start time): staging and ON CONFLICT. */
  readonly revisiting: readonly RowSet[];
  readonly shared: readonly SharedRow[];
  /** Items whose generation row only announces a call, so that a later row will replace it. */
  readonly announcing: ReadonlySet<number>;
  /** Items with a finished call that says that it was announced: its generation row replaces one that is probably there. */
  readonly announced: ReadonlySet<number>;
  /** What the request brings for traces with model calls. */
  readonly traces: readonly TraceMark[];
  /** Items refused while encoding; their `ingest_rejected` rows are in `fresh`, under the number of the first item with their bytes. */
  readonly refusedItems: readonly ItemRefusal[];
  /** Bytes held in memory for this request, for the bound on pending bytes. */
  readonly sizeBytes: number;
}

/** Gives the memory of the request's bytes and rows back: for the exporter, when it will never look at them again. */
export function giveBack({ raw, fresh, revisiting }: EncodedRequest): void {
  sharedBuffers.give(raw);
  for (const set of fresh) sharedBuffers.give(set.bytes.buffer);
  for (const set of revisiting) sharedBuffers.give(set.bytes.buffer);
}

export interface ItemRefusal {
  readonly item: number;
  readonly reason: string;
}

/** What the database exporter says of one request. */
export type WriteResult =
  | {
      readonly kind: "committed";
      /** Items with a new row. received = stored + duplicates + refused.length. */
      readonly stored: number;
      /** Items that were there already, with the same content or (`conflicting`) another. */
      readonly duplicates: number;
      readonly conflicting: number;
      /** Refused while encoding or by the database; all of them stand in `ingest_rejected`. */
      readonly refused: readonly ItemRefusal[];
    }
  | { readonly kind: "failed"; readonly reason: "overload" | "database" | "deadline" | "stopping"; readonly message: string };

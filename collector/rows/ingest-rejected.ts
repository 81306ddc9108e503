import { hash } from "node:crypto";
import type { ByteWriter } from "../base/byte-writer.ts";
import type { Signal } from "../base/signal.ts";
import { copyInt4, copyMillis, copyNull, copyString } from "./copy-row.ts";
import { copyUuid } from "./encode-span.ts";
import { INGEST_REJECTED } from "./table-spec.ts";

/** One item that is refused for good. `reason` is short and free of the sender's content. */
export interface Rejection {
  readonly projectId: number;
  readonly signal: Signal;
  readonly reason: string;
  /** PostgreSQL's code when the database refused it. */
  readonly sqlstate: string | undefined;
  /** The item's own protobuf message. */
  readonly raw: Buffer;
  readonly receivedAtMs: number;
}

/** The id of the row that keeps an item: a hash of its bytes, so that a resend finds the same row. */
export const rejectedId = ({ signal, raw }: Pick<Rejection, "signal" | "raw">): string =>
  hash("sha256", Buffer.concat([Buffer.from(signal), raw]), "hex").slice(0, 32);

/** Writes the row of table ingest_rejected. */
export function encodeRejectedRow(out: ByteWriter, rejection: Rejection, id = rejectedId(rejection)): void {
  const { raw, signal } = rejection;
  out.u16(INGEST_REJECTED.columns.length);
  copyInt4(out, rejection.projectId);
  copyUuid(out, id);
  copyString(out, signal);
  copyString(out, rejection.reason);
  if (rejection.sqlstate === undefined) copyNull(out);
  else copyString(out, rejection.sqlstate);
  copyNull(out);
  out.u32(raw.length);
  out.bytes(raw, 0, raw.length);
  copyMillis(out, rejection.receivedAtMs);
}

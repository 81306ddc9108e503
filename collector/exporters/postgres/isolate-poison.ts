import { ByteWriter } from "../../base/byte-writer.ts";
import type { EncodedRequest } from "../../rows/encoded-request.ts";
import { encodeRejectedRow } from "../../rows/ingest-rejected.ts";
import { INGEST_REJECTED } from "../../rows/table-spec.ts";
import { halve, type Part } from "./batch.ts";
import { classifyError, sqlstateOf } from "./classify-error.ts";
import type { WritePath } from "./transaction.ts";

/** Parts that the next transaction takes together. */
export interface WriteGroup {
  readonly parts: readonly Part[];
  readonly path: WritePath;
  /** An earlier attempt may have been committed, and the reply was lost: rows that are there may be these very ones. */
  readonly unsure?: boolean;
  /** Set when `parts` is only the substitute for one refused item: its row for ingest_rejected. */
  readonly refusal?: { readonly part: Part; readonly reason: string };
}

/**
 * What to write instead of a group that the database refused:
 * the same rows carefully when one of them is there already; else its halves, until the item at fault stands alone and is kept in
 * ingest_rejected. undefined when the rows are not to blame: an outage is never picked apart.
 */
export function groupsAfter(group: WriteGroup, error: unknown): WriteGroup[] | undefined {
  const kind = classifyError(error);
  if (kind === "duplicate" && group.path === "fast") return [{ ...group, path: "careful" }];
  // A duplicate that ON CONFLICT does not cover is a unique index of the operator's: then the row is at fault.
  if ((kind !== "data" && kind !== "duplicate") || group.refusal !== undefined) return undefined;
  const halves = halve(group.parts);
  if (halves !== undefined) return halves.map((parts) => ({ ...group, parts }));
  const [part] = group.parts;
  return part === undefined ? [] : [substitute(part, sqlstateOf(error) ?? "")];
}

function substitute(part: Part, sqlstate: string): WriteGroup {
  const { request } = part.pending;
  const reason = `database refused the value (${sqlstate})`;
  const raw = request.raw.subarray(request.itemAt[part.fromItem * 2], request.itemAt[part.fromItem * 2 + 1]);
  const bytes = new ByteWriter(raw.length + 256);
  const { projectId, signal } = request;
  encodeRejectedRow(bytes, { projectId, signal, reason, sqlstate, raw, receivedAtMs: Date.now() });
  const rows = { table: INGEST_REJECTED, bytes, starts: [0], items: [part.fromItem] };
  const rejected: EncodedRequest = { ...request, fresh: [rows], revisiting: [], shared: [] };
  return { parts: [{ ...part, pending: { ...part.pending, request: rejected } }], path: "fast", refusal: { part, reason } };
}

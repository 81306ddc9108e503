import { createHash } from "node:crypto";
import { isUuid, uuidOfDigest } from "../../base/uuid.ts";

const digest = (kind: string, parts: readonly unknown[]): string =>
  createHash("sha256")
    .update(JSON.stringify([kind, ...parts]))
    .digest("hex");

/** The id itself where it is a uuid, else one made of it: the same file imported twice is stored once. */
export function uuidOf(kind: string, id: unknown, ...more: readonly unknown[]): string {
  return isUuid(id) ? id.toLowerCase() : uuidOfDigest(digest(kind, [id, ...more]));
}

/** Ids of a span for something that was never one. */
export function spanIdsOf(kind: string, ...parts: readonly unknown[]): { readonly trace_id: string; readonly span_id: string } {
  const hex = digest(kind, parts);
  return { trace_id: hex.slice(0, 32), span_id: hex.slice(32, 48) };
}

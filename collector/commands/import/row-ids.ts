import { createHash } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const digest = (kind: string, parts: readonly unknown[]): string =>
  createHash("sha256")
    .update(JSON.stringify([kind, ...parts]))
    .digest("hex");

/** The id itself where it is a uuid, else one made of it: the same file imported twice is stored once. */
export function uuidOf(kind: string, id: unknown, ...more: readonly unknown[]): string {
  if (typeof id === "string" && UUID.test(id)) return id.toLowerCase();
  const hex = digest(kind, [id, ...more]);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

/** Ids of a span for something that was never one. */
export function spanIdsOf(kind: string, ...parts: readonly unknown[]): { readonly trace_id: string; readonly span_id: string } {
  const hex = digest(kind, parts);
  return { trace_id: hex.slice(0, 32), span_id: hex.slice(32, 48) };
}

import { type ApiOptions, callApi } from "../rest/api-client.ts";
import type { ImageTrace, ImageTraceStatus } from "./image-trace.ts";

const PATH = "/api/traceImage";

/** Which traces are asked for. */
export interface ImageTraceQuery {
  /** How many at most. */
  readonly limit?: number;
  /** How many of the newest are left out. */
  readonly offset?: number;
  readonly status?: ImageTraceStatus;
  readonly lessonId?: string;
}

/** The newest traces first. */
export async function listImageTraces(query: ImageTraceQuery, api: ApiOptions): Promise<{ traces: ImageTrace[] }> {
  const { limit, offset, status, lessonId } = query;
  const answer = await callApi({ method: "GET", path: PATH, query: { limit, offset, status, lesson: lessonId } }, api);
  return { traces: (answer as { traces?: ImageTrace[] } | null)?.traces ?? [] };
}

/** One trace, or null. */
export async function getImageTrace(id: string, api: ApiOptions): Promise<ImageTrace | null> {
  const answer = await callApi({ method: "GET", path: `/api/images/${encodeURIComponent(id)}` }, api);
  return answer === null ? null : (withoutNulls(answer) as ImageTrace);
}

const withoutNulls = (object: unknown): unknown =>
  Object.fromEntries(Object.entries(object as object).filter(([, value]) => value !== null));

/** Whether there was one to delete. */
export async function deleteImageTrace(id: string, api: ApiOptions): Promise<boolean> {
  return wasDeleted(await callApi({ method: "DELETE", path: PATH, query: { id } }, api));
}

/** How many were deleted. */
export async function deleteAllImageTraces(api: ApiOptions): Promise<number> {
  const answer = await callApi({ method: "DELETE", path: PATH, query: { deleteAll: true } }, api);
  return Number((answer as { deleted?: unknown } | null)?.deleted ?? 0);
}

function wasDeleted(answer: unknown): boolean {
  const deleted = (answer as { deleted?: unknown } | null)?.deleted;
  return answer !== null && deleted !== 0 && deleted !== false;
}

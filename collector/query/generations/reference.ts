import { RequestError } from "../../base/request-error.ts";

/** A call by its ids, as its `id` column and the SDK's reference write it. */
export interface GenerationRef {
  readonly traceId: string;
  readonly spanId: string;
}

const REFERENCE = /^([0-9a-f]{32})-([0-9a-f]{16})$/;

/** Reads `traceid-spanid`, in either case. Throws RequestError for anything else. */
export function readReference(text: string): GenerationRef {
  const [, traceId, spanId] = REFERENCE.exec(text.toLowerCase()) ?? [];
  if (traceId === undefined || spanId === undefined)
    throw new RequestError("bad_request", "a model call is named by its id, 32 and 16 hexadecimal digits with - between");
  return { traceId, spanId };
}

export const notFound = (): RequestError => new RequestError("not_found", "there is no such model call in this project");

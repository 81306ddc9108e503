import type { Part } from "../../collector/exporters/postgres/batch.ts";
import type { EncodedRequest } from "../../collector/rows/encoded-request.ts";

/** A whole request as one part that nobody waits for. */
export function partOf(request: EncodedRequest): Part {
  const pending = {
    request,
    deadlineAt: Number.POSITIVE_INFINITY,
    openItems: request.received,
    openParts: 1,
    stored: 0,
    conflicting: 0,
    refused: [],
    settled: false,
    settle: () => {},
  };
  const rows = [...request.fresh, ...request.revisiting].reduce((sum, set) => sum + set.starts.length, 0);
  return { pending, fromItem: 0, toItem: request.received, bytes: request.sizeBytes, rows };
}

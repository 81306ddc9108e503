import type { Log } from "../base/log.ts";
import type { EncodedRequest } from "../rows/encoded-request.ts";

/** The Collector's debug exporter: a log line per request. Never content, only counts. */
export function createDebugExporter(verbosity: "basic" | "normal", log: Log): (request: EncodedRequest) => void {
  return (request) => {
    const basic = { signal: request.signal, items: request.received, bytes: request.raw.length };
    log.info(verbosity === "basic" ? basic : { ...basic, rows: rowCounts(request), refused: request.refusedItems.length }, "received");
  };
}

function rowCounts(request: EncodedRequest): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { table, starts } of [...request.fresh, ...request.revisiting]) counts[table.name] = (counts[table.name] ?? 0) + starts.length;
  return counts;
}

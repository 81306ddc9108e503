import type { Reader, ReadScope } from "../reader.ts";
import type { ExportRow } from "./format.ts";
import { OTLP_SPAN_COLUMNS, otlpOrigin, otlpSpan, type StoredSpan, schemaUrl } from "./otlp-span.ts";
import { createSurroundings, keyOf, type Surroundings } from "./surroundings.ts";

/** Turns pages of spans (columns OTLP_SPAN_COLUMNS) into export requests of OTLP/JSON, one line each, as the Collector's file exporter writes them. */
export function createOtlpLines(reader: Reader, scope: ReadScope): (page: readonly ExportRow[]) => Promise<string> {
  const surround = createSurroundings(reader, scope);
  return async (page) => {
    const spans = page.map((row) => Object.fromEntries(OTLP_SPAN_COLUMNS.map((name, i) => [name, row[i] ?? null])) as StoredSpan);
    return requestLine(spans, await surround(spans));
  };
}

/** Spans of one resource and scope stand together, in the order in which they come first. */
function requestLine(spans: readonly StoredSpan[], { resources, scopes, content }: Surroundings): string {
  const byOrigin = Map.groupBy(spans, (span) => span["resource_id"] ?? "");
  const resourceSpans = [...byOrigin].map(([resourceId, ofResource]) => {
    const resource = resources.get(resourceId);
    const byScope = Map.groupBy(ofResource, (span) => span["scope_id"] ?? "");
    const scopeSpans = [...byScope].map(([scopeId, ofScope]) => {
      const scope = scopes.get(scopeId);
      return {
        ...(scope === undefined ? {} : { scope: otlpOrigin(scope) }),
        spans: ofScope.map((span) => otlpSpan(span, content.get(keyOf(span)))),
        ...schemaUrl(scope),
      };
    });
    return { resource: otlpOrigin(resource), scopeSpans, ...schemaUrl(resource) };
  });
  return `${JSON.stringify({ resourceSpans })}\n`;
}

import { MOVED } from "../../rows/content-moved.ts";
import type { Ask, Reader, ReadScope } from "../reader.ts";
import { EMPTY, list, name, sql } from "../sql.ts";
import type { ExportRow } from "./format.ts";
import { type MovedContent, OTLP_SPAN_COLUMNS, otlpOrigin, otlpSpan, type StoredSpan } from "./otlp-span.ts";

/** Resources and scopes remembered from page to page. */
const MAX_KNOWN = 5_000;

type Origins = Map<string, StoredSpan>;

/** Turns pages of spans (columns OTLP_SPAN_COLUMNS) into export requests of OTLP/JSON, one line each, as the Collector's file exporter writes them. */
export function createOtlpLines(reader: Reader, scope: ReadScope): (page: readonly ExportRow[]) => Promise<string> {
  const known: Record<"resources" | "scopes", Origins> = { resources: new Map(), scopes: new Map() };
  return async (page) => {
    const spans = page.map((row) => Object.fromEntries(OTLP_SPAN_COLUMNS.map((name, i) => [name, row[i] ?? null])) as StoredSpan);
    const content = await reader.read(scope, async (ask) => {
      await readOrigins(ask, "resources", { known: known.resources, ids: spans.map((span) => span["resource_id"]) });
      await readOrigins(ask, "scopes", { known: known.scopes, ids: spans.map((span) => span["scope_id"]) });
      return readMoved(ask, spans);
    });
    const line = requestLine(spans, known, content);
    for (const origins of Object.values(known)) if (origins.size > MAX_KNOWN) origins.clear();
    return line;
  };
}

interface Wanted {
  readonly known: Origins;
  readonly ids: readonly (string | null | undefined)[];
}

async function readOrigins(ask: Ask, table: "resources" | "scopes", { known, ids }: Wanted): Promise<void> {
  const missing = [...new Set(ids)].filter((id): id is string => id != null && !known.has(id));
  if (missing.length === 0) return;
  const names = table === "scopes" ? sql`name, version, ` : EMPTY;
  const rows = await ask<Record<string, string | null>>(sql`
    SELECT id::text, ${names}attributes::text, schema_url, dropped_attributes_count::text FROM ${name(table)} WHERE id = ANY (${missing}::uuid[])`);
  for (const row of rows) known.set(String(row["id"]), row);
}

const keyOf = (row: StoredSpan): string => `${row["trace_id"]}-${row["span_id"]}-${row["start_time"]}`;

/** The content that left its span for a generation row, also that of a row that is not counted. */
async function readMoved(ask: Ask, spans: readonly StoredSpan[]): Promise<Map<string, MovedContent>> {
  const moved = spans.filter((span) => span["content_moved"] != null);
  const found = new Map<string, MovedContent>();
  if (moved.length === 0) return found;
  const column = (name: string): string[] => moved.map((span) => span[name] ?? "");
  for (const table of ["generation_logs", "generation_twins"]) {
    const rows = await ask<Record<string, string | null>>(sql`
      SELECT wanted.start_text AS start_time, trace_id, span_id, ${list(MOVED.map((each) => name(each.column)))}
      FROM ${name(table)} JOIN unnest(${column("trace_id")}::text[], ${column("span_id")}::text[], ${column("start_time")}::text[])
        AS wanted (wanted_trace, wanted_span, start_text)
      ON trace_id = wanted_trace AND span_id = wanted_span AND start_time = start_text::timestamptz`);
    for (const row of rows) found.set(keyOf(row), row as MovedContent);
  }
  return found;
}

type Known = Readonly<Record<"resources" | "scopes", Origins>>;

/** Spans of one resource and scope stand together, in the order in which they come first. */
function requestLine(spans: readonly StoredSpan[], known: Known, content: ReadonlyMap<string, MovedContent>): string {
  const byOrigin = Map.groupBy(spans, (span) => span["resource_id"] ?? "");
  const resourceSpans = [...byOrigin].map(([resourceId, ofResource]) => {
    const resource = known.resources.get(resourceId);
    const byScope = Map.groupBy(ofResource, (span) => span["scope_id"] ?? "");
    const scopeSpans = [...byScope].map(([scopeId, ofScope]) => {
      const scope = known.scopes.get(scopeId);
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

const schemaUrl = (row: StoredSpan | undefined): object => (row?.["schema_url"] == null ? {} : { schemaUrl: row["schema_url"] });

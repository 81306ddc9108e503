import { MOVED } from "../../rows/content-moved.ts";
import type { Ask, Reader, ReadScope } from "../reader.ts";
import { EMPTY, list, name, sql } from "../sql.ts";
import type { MovedContent, StoredSpan } from "./otlp-span.ts";

/** Resources and scopes remembered from page to page. */
const MAX_KNOWN = 5_000;

type Origins = Map<string, StoredSpan>;

/** What is stored of spans besides their own rows: resources and scopes by id, and moved content by `keyOf`. */
export interface Surroundings {
  readonly resources: ReadonlyMap<string, StoredSpan>;
  readonly scopes: ReadonlyMap<string, StoredSpan>;
  readonly content: ReadonlyMap<string, MovedContent>;
}

/** Reads what spans need besides their rows, page by page. What it gives holds until the next page. */
export function createSurroundings(reader: Reader, scope: ReadScope): (spans: readonly StoredSpan[]) => Promise<Surroundings> {
  const known: Record<"resources" | "scopes", Origins> = { resources: new Map(), scopes: new Map() };
  return async (spans) => {
    for (const origins of Object.values(known)) if (origins.size > MAX_KNOWN) origins.clear();
    const content = await reader.read(scope, async (ask) => {
      await readOrigins(ask, "resources", { known: known.resources, ids: spans.map((span) => span["resource_id"]) });
      await readOrigins(ask, "scopes", { known: known.scopes, ids: spans.map((span) => span["scope_id"]) });
      return readMoved(ask, spans);
    });
    return { ...known, content };
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

export const keyOf = (row: StoredSpan): string => `${row["trace_id"]}-${row["span_id"]}-${row["start_time"]}`;

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

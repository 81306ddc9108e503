import type { Sql } from "postgres";

/** A span as the start page shows it. */
export interface LatestSpan {
  readonly received_at: Date;
  readonly service_name: string;
  readonly name: string;
  readonly trace_id: string;
  readonly status_code: number;
  /** Of the generation, where the span is one. */
  readonly model_name: string | null;
  readonly tokens_total: string | null;
  readonly generation_status: string | null;
}

/** What begins further back is history, not "just arrived". */
const WINDOW = "1 day";

/** The spans that began last, newest first, as `projectId` may see them. `sql` is a pool of the reading login. */
export function latestSpans(
  sql: Sql,
  options: { readonly schema: string; readonly projectId: number; readonly limit: number },
): Promise<LatestSpan[]> {
  const table = (name: string) => sql(`${options.schema}.${name}`);
  return sql.begin("READ ONLY", async (tx) => {
    await tx`SELECT set_config('genspan.project', ${String(options.projectId)}, true), set_config('statement_timeout', '2s', true)`;
    return [
      ...(await tx<LatestSpan[]>`
        SELECT s.received_at, s.service_name, left(s.name, 200) AS name, s.trace_id, s.status_code, g.model_name, g.tokens_total, g.generation_status
        FROM ${table("spans")} s
        LEFT JOIN ${table("generation_logs")} g USING (project_id, trace_id, span_id, start_time)
        WHERE s.start_time > now() - ${WINDOW}::interval
        ORDER BY s.start_time DESC LIMIT ${options.limit}`),
    ];
  }) as Promise<LatestSpan[]>;
}

import { RequestError } from "../../base/request-error.ts";
import type { ExactNumber } from "../exact.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** One kind of step in two traces. */
export interface StepComparison {
  readonly service_name: string;
  readonly name: string;
  readonly a_spans: number;
  readonly b_spans: number;
  readonly a_ms: number | null;
  readonly b_ms: number | null;
  readonly a_errors: number;
  readonly b_errors: number;
  readonly a_tokens: ExactNumber | null;
  readonly b_tokens: ExactNumber | null;
}

/** The steps of two traces side by side, by service and name; those whose time differs most come first. Throws RequestError where one is missing. */
export function compareTraces(reader: Reader, projectId: number, [a, b]: readonly [string, string]): Promise<StepComparison[]> {
  return reader.read({ projectId }, async (ask) => {
    const found = await ask<{ trace_id: string }>(
      sql`SELECT DISTINCT trace_id FROM spans WHERE project_id = ${projectId} AND trace_id = ANY(${[a, b]}::text[])`,
    );
    if (found.length < new Set([a, b]).size) throw new RequestError("not_found", "one of the traces is not in this project");
    return ask<StepComparison>(sql`
      SELECT s.service_name, s.name, count(*) FILTER (WHERE s.trace_id = ${a}) AS a_spans, count(*) FILTER (WHERE s.trace_id = ${b}) AS b_spans,
        (sum(s.duration_ns) FILTER (WHERE s.trace_id = ${a}) / 1e6)::float8 AS a_ms, (sum(s.duration_ns) FILTER (WHERE s.trace_id = ${b}) / 1e6)::float8 AS b_ms,
        count(*) FILTER (WHERE s.trace_id = ${a} AND s.status_code = 2) AS a_errors, count(*) FILTER (WHERE s.trace_id = ${b} AND s.status_code = 2) AS b_errors,
        sum(g.tokens_total) FILTER (WHERE s.trace_id = ${a}) AS a_tokens, sum(g.tokens_total) FILTER (WHERE s.trace_id = ${b}) AS b_tokens
      FROM spans s LEFT JOIN generation_logs g ON g.project_id = s.project_id AND g.trace_id = s.trace_id AND g.span_id = s.span_id AND g.start_time = s.start_time
      WHERE s.project_id = ${projectId} AND s.trace_id = ANY(${[a, b]}::text[])
      GROUP BY s.service_name, s.name
      ORDER BY abs(coalesce(sum(s.duration_ns) FILTER (WHERE s.trace_id = ${b}), 0) - coalesce(sum(s.duration_ns) FILTER (WHERE s.trace_id = ${a}), 0)) DESC, 1, 2`);
  });
}

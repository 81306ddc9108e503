import { COST_AMOUNT, COST_CURRENCY } from "../cost.ts";
import type { ExactNumber } from "../exact.ts";
import { type Page, readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** A trace as lists show it. */
export interface TraceSummary {
  readonly trace_id: string;
  readonly start_time: string;
  /** Of its first span. */
  readonly name: string;
  readonly service_name: string;
  readonly status: "unset" | "ok" | "error";
  readonly duration_ms: number | null;
  readonly spans: number;
  readonly errors: number;
  readonly services: readonly string[];
  readonly generations: number;
  readonly tokens_total: ExactNumber | null;
  /** Null where the calls are charged in several currencies: a sum over them is no amount. */
  readonly cost_amount: ExactNumber | null;
  /** `mixed` for several. */
  readonly cost_currency: string | null;
}

interface Read
  extends Omit<TraceSummary, "spans" | "errors" | "services" | "generations" | "tokens_total" | "cost_amount" | "cost_currency"> {
  readonly about: Pick<TraceSummary, "spans" | "errors" | "services">;
  readonly calls: Pick<TraceSummary, "generations" | "tokens_total" | "cost_amount" | "cost_currency">;
}

const SAME_TRACE = sql`x.project_id = page.project_id AND x.trace_id = page.trace_id
  AND x.start_time BETWEEN page.start_time - interval '1 day' AND page.start_time + interval '1 day'`;

const COLUMNS = sql`trace_id, start_time, left(name, 200) AS name, service_name,
  CASE status_code WHEN 2 THEN 'error' WHEN 1 THEN 'ok' ELSE 'unset' END AS status, (duration_ns / 1e6)::float8 AS duration_ms,
  (SELECT jsonb_build_object('spans', count(*), 'errors', count(*) FILTER (WHERE x.status_code = 2), 'services', jsonb_agg(DISTINCT x.service_name))
    FROM spans x WHERE ${SAME_TRACE}) AS about,
  (SELECT jsonb_build_object('generations', count(*), 'tokens_total', sum(x.tokens_total),
    'cost_amount', ${COST_AMOUNT}, 'cost_currency', ${COST_CURRENCY})
    FROM generation_logs x WHERE ${SAME_TRACE}) AS calls`;

/** One page of traces. */
export const listTraces = (reader: Reader, projectId: number, filter: Filter): Promise<Page<TraceSummary>> =>
  reader.read({ projectId }, async (ask) => {
    const { data, next } = await readPage<Read>(ask, { projectId, filter, columns: COLUMNS });
    return { data: data.map(({ about, calls, ...rest }) => ({ ...rest, ...about, ...calls })), next };
  });

import { RequestError } from "../../base/request-error.ts";
import { COST_AMOUNT, COST_CURRENCY, IS_UNPRICED } from "../cost.ts";
import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { type Fragment, list, name, sql } from "../sql.ts";

/** What calls can be grouped by. */
export const GROUPINGS = {
  model: sql`model_name`,
  provider: sql`provider_name`,
  prompt: sql`prompt_template_name`,
  version: sql`prompt_template_version`,
  env: sql`environment`,
  service: sql`service_name`,
  operation: sql`operation_name`,
  status: sql`generation_status`,
  finish: sql`response_finish_reason`,
  error: sql`error_type`,
  quality: sql`quality_status`,
  user: sql`user_id`,
  conversation: sql`conversation_id`,
  run: sql`run_id`,
  item: sql`item_id`,
  entity: sql`entity_type`,
  dialect: sql`dialect`,
  day: sql`to_char(start_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  hour: sql`to_char(start_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":00:00Z"')`,
} as const satisfies Readonly<Record<string, Fragment>>;

export type Grouping = keyof typeof GROUPINGS;
const MAX_GROUPINGS = 3;
/** A year of hours, and more users than a table can show. */
const MAX_GROUPS = 10_000;
/** So many rows tell whether there are more groups. */
export const GROUPS_READ = MAX_GROUPS + 1;

/** Groups of calls: by time the earliest first, others with the most calls first. */
export interface GroupedStatistics {
  readonly data: readonly GenerationStatistics[];
  /** There are more groups; they have fewer calls than those given. */
  readonly truncated: boolean;
}

/** Takes the rows of a question that asked for GROUPS_READ, those with the most calls first. */
export function groupsOf(rows: readonly GenerationStatistics[], by: readonly Grouping[]): GroupedStatistics {
  const data = rows.slice(0, MAX_GROUPS);
  const time = by.find((grouping) => grouping === "day" || grouping === "hour");
  const began = (row: GenerationStatistics): string => String(row[time ?? ""]);
  const ordered = time === undefined ? data : data.toSorted((a, b) => (began(a) < began(b) ? -1 : Number(began(a) > began(b))));
  return { data: ordered, truncated: rows.length > MAX_GROUPS };
}

/** Numbers of a group of calls; with `by`, its values stand under the names of the groupings. */
export interface GenerationStatistics {
  readonly [grouping: string]: ExactNumber | null;
  readonly generations: ExactNumber;
  readonly succeeded: ExactNumber;
  readonly failed: ExactNumber;
  readonly timed_out: ExactNumber;
  readonly pending: ExactNumber;
  /** Failed and timed out among those that ended; null while none has. */
  readonly error_rate: number | null;
  readonly tokens_prompt: ExactNumber | null;
  readonly tokens_completion: ExactNumber | null;
  readonly tokens_reasoning: ExactNumber | null;
  readonly tokens_total: ExactNumber | null;
  readonly avg_tokens: number | null;
  readonly avg_duration_ms: number | null;
  readonly p50_duration_ms: number | null;
  readonly p95_duration_ms: number | null;
  readonly p99_duration_ms: number | null;
  /** Null for several currencies, which cost_currency calls `mixed`. */
  readonly cost_amount: ExactNumber | null;
  readonly cost_currency: string | null;
  /** Calls with tokens whose price is unknown: they are in no cost; has=unpriced lists them. */
  readonly unpriced: ExactNumber;
  readonly approved: ExactNumber;
  readonly rejected: ExactNumber;
  readonly pending_review: ExactNumber;
}

/** Reads `by=model,version`, repeated or with commas. Throws RequestError for what calls cannot be grouped by. */
export function readGroupings(query: URLSearchParams): Grouping[] {
  const given = query
    .getAll("by")
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
  const unknown = given.filter((text) => !Object.hasOwn(GROUPINGS, text));
  if (unknown.length > 0) throw new RequestError("bad_request", `by is none of ${Object.keys(GROUPINGS).join(", ")}`);
  if (given.length > MAX_GROUPINGS) throw new RequestError("bad_request", `by has more than ${MAX_GROUPINGS} groupings`);
  return [...new Set(given)] as Grouping[];
}

const MEASURES = sql`count(*) AS generations,
  count(*) FILTER (WHERE generation_status = 'success') AS succeeded,
  count(*) FILTER (WHERE generation_status = 'failed') AS failed,
  count(*) FILTER (WHERE generation_status = 'timeout') AS timed_out,
  count(*) FILTER (WHERE generation_status = 'pending') AS pending,
  (count(*) FILTER (WHERE generation_status IN ('failed', 'timeout')))::float8 / nullif(count(*) FILTER (WHERE generation_status <> 'pending'), 0) AS error_rate,
  sum(tokens_prompt) AS tokens_prompt, sum(tokens_completion) AS tokens_completion, sum(tokens_reasoning) AS tokens_reasoning,
  sum(tokens_total) AS tokens_total, avg(tokens_total)::float8 AS avg_tokens, avg(duration_ms) AS avg_duration_ms,
  percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms) AS percentiles,
  ${COST_AMOUNT} AS cost_amount, ${COST_CURRENCY} AS cost_currency,
  count(*) FILTER (WHERE ${IS_UNPRICED}) AS unpriced,
  count(*) FILTER (WHERE quality_status = 'approved') AS approved,
  count(*) FILTER (WHERE quality_status = 'rejected') AS rejected,
  count(*) FILTER (WHERE quality_status = 'pending_review') AS pending_review`;

type Measured = Omit<GenerationStatistics, "p50_duration_ms" | "p95_duration_ms" | "p99_duration_ms"> & {
  readonly percentiles: readonly (number | null)[] | null;
};

/** Statistics of the calls that a filter selects; exact, from the rows themselves. */
export function generationStatistics(
  reader: Reader,
  projectId: number,
  { filter, by }: { readonly filter: Filter; readonly by: readonly Grouping[] },
): Promise<GroupedStatistics> {
  const columns = by.map((grouping) => sql`${GROUPINGS[grouping]} AS ${name(grouping)}`);
  const positions = by.map((_, i) => POSITIONS[i] ?? sql`1`);
  const grouped = by.length === 0 ? sql`` : sql`GROUP BY ${list(positions)}`;
  return reader.read({ projectId }, async (ask) => {
    const rows = await ask<Measured>(sql`
      SELECT ${list([...columns, MEASURES])} FROM generation_logs
      WHERE project_id = ${projectId} AND (${conditionsOf(filter)}) ${grouped}
      ORDER BY ${list([sql`generations DESC`, ...positions])} LIMIT ${GROUPS_READ}`);
    return groupsOf(rows.map(withPercentiles), by);
  });
}

const POSITIONS = [sql`1`, sql`2`, sql`3`];

function withPercentiles({ percentiles, ...row }: Measured): GenerationStatistics {
  const [p50, p95, p99] = percentiles ?? [];
  return {
    ...row,
    p50_duration_ms: p50 ?? null,
    p95_duration_ms: p95 ?? null,
    p99_duration_ms: p99 ?? null,
  } as GenerationStatistics;
}

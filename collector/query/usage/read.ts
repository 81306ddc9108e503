import { RequestError } from "../../base/request-error.ts";
import { COST_AMOUNT, COST_CURRENCY, IS_UNPRICED } from "../cost.ts";
import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import {
  type GenerationStatistics,
  GROUPINGS,
  GROUPS_READ,
  type GroupedStatistics,
  type Grouping,
  generationStatistics,
  groupsOf,
} from "../generations/statistics.ts";
import type { Ask, Reader } from "../reader.ts";
import { EMPTY, type Fragment, list, sql } from "../sql.ts";
import { HISTOGRAM_SQL, histogramOf, percentile } from "./histogram.ts";

/** Usage of a range of time, by up to three groupings. */
export interface Usage extends GroupedStatistics {
  /** ISO 8601; `to` does not belong to it. */
  readonly from: string;
  readonly to: string;
  /** `rollup` where sums made beforehand could serve: percentiles are then within two and a half per cent. `rows` are exact in everything. */
  readonly source: "rollup" | "rows";
}

export interface UsageQuestion {
  readonly filter: Filter & { readonly from: string; readonly to: string };
  readonly by: readonly Grouping[];
}

/** What the sums know: other filters and groupings are answered from the rows. */
const SUMMED_KEYS = new Set(["env", "service", "project", "provider", "model", "operation", "prompt", "version"]);
const SUMMED_GROUPINGS = new Set<Grouping>(["env", "service", "provider", "model", "operation", "prompt", "version", "day", "hour"]);

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Reads usage: whole clean days and hours from the sums, everything else from the rows, in one snapshot, so that counts, tokens and costs are exact. */
export async function readUsage(reader: Reader, projectId: number, { filter, by }: UsageQuestion): Promise<Usage> {
  const { from, to } = filter;
  const simple = filter.terms.every(({ key }) => SUMMED_KEYS.has(key)) && filter.words.length + filter.attributes.length === 0;
  if (!simple || !by.every((grouping) => SUMMED_GROUPINGS.has(grouping)))
    return { from, to, source: "rows", ...(await generationStatistics(reader, projectId, { filter, by })) };
  const summed = await reader.read({ projectId }, (ask) => fromSums(ask, projectId, { filter, by }));
  return { from, to, source: "rollup", ...summed };
}

/** Milliseconds since 1970; of a time between two the later one. */
const ceilMillis = (iso: string): number => Date.parse(iso) + (/\.\d{3}0*[1-9]/.test(iso) ? 1 : 0);
const up = (millis: number, unit: number): Date => new Date(Math.ceil(millis / unit) * unit);
const down = (millis: number, unit: number): Date => new Date(Math.floor(millis / unit) * unit);

const HISTOGRAM: Fragment = { texts: [HISTOGRAM_SQL], values: [] };

/** Columns of the sums, as they are read from the rows of hours that are not clean. */
const FROM_ROWS = sql`1::bigint AS generations, (generation_status = 'success')::int::bigint AS succeeded, (generation_status = 'failed')::int::bigint AS failed,
  (generation_status = 'timeout')::int::bigint AS timed_out, (generation_status = 'pending')::int::bigint AS pending,
  coalesce(quality_status = 'approved', false)::int::bigint AS approved, coalesce(quality_status = 'rejected', false)::int::bigint AS rejected,
  coalesce(quality_status = 'pending_review', false)::int::bigint AS pending_review,
  coalesce(${IS_UNPRICED}, false)::int::bigint AS unpriced, tokens_prompt::numeric, tokens_completion::numeric, tokens_reasoning::numeric,
  tokens_total::numeric, (tokens_total IS NOT NULL)::int::bigint AS tokens_known, cost_amount, (duration_ms IS NOT NULL)::int::bigint AS duration_known,
  duration_ms AS duration_sum_ms, ${HISTOGRAM} AS durations`;

const FROM_SUMS = sql`generations, succeeded, failed, timed_out, pending, approved, rejected, pending_review, unpriced, tokens_prompt, tokens_completion,
  tokens_reasoning, tokens_total, tokens_known, cost_amount, duration_known, duration_sum_ms, durations`;

const TOTALS = sql`sum(generations)::bigint AS generations, sum(succeeded)::bigint AS succeeded, sum(failed)::bigint AS failed, sum(timed_out)::bigint AS timed_out,
  sum(pending)::bigint AS pending, (sum(failed) + sum(timed_out))::float8 / nullif(sum(generations) - sum(pending), 0)::float8 AS error_rate,
  sum(tokens_prompt) AS tokens_prompt, sum(tokens_completion) AS tokens_completion, sum(tokens_reasoning) AS tokens_reasoning, sum(tokens_total) AS tokens_total,
  (sum(tokens_total) / nullif(sum(tokens_known), 0))::float8 AS avg_tokens, sum(duration_sum_ms) / nullif(sum(duration_known), 0)::float8 AS avg_duration_ms,
  ${COST_AMOUNT} AS cost_amount, ${COST_CURRENCY} AS cost_currency, sum(unpriced)::bigint AS unpriced,
  sum(approved)::bigint AS approved, sum(rejected)::bigint AS rejected, sum(pending_review)::bigint AS pending_review,
  rtrim(sum(durations)::text, '0') AS digits, length(sum(durations)::text) AS all_digits`;

const GROUP_NAMES = [sql`g1`, sql`g2`, sql`g3`];

/** The value of a grouping where rows of the sums have the time in `began`. */
function groupingOf(grouping: Grouping, began: Fragment): Fragment {
  if (grouping === "day") return sql`to_char(${began} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;
  if (grouping === "hour") return sql`to_char(${began} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":00:00Z"')`;
  return GROUPINGS[grouping];
}

interface Totals extends Record<string, unknown> {
  readonly generations: ExactNumber;
  /** Of the histogram. */
  readonly digits: string | null;
  /** Their number with the zeros at their end, which are most of them. */
  readonly all_digits: number | null;
}

async function fromSums(ask: Ask, projectId: number, { filter, by }: UsageQuestion): Promise<GroupedStatistics> {
  const groups = list(by.map((_, i) => GROUP_NAMES[i] ?? EMPTY));
  const totals = by.length === 0 ? sql`SELECT ${TOTALS} FROM parts` : sql`SELECT ${groups}, ${TOTALS} FROM parts GROUP BY ${groups}`;
  const rows = await ask<Totals>(
    sql`WITH ${partsOf(projectId, { filter, by })} ${totals} ORDER BY ${list([sql`generations DESC NULLS LAST`, ...by.map((_, i) => GROUP_NAMES[i] ?? EMPTY)])} LIMIT ${GROUPS_READ}`,
  );
  return groupsOf(
    rows.map((row) => statisticsOf(row, by)),
    by,
  );
}

/**
 * Everything that is summed: days, hours and rows that together cover the range once. Ends of ranges are columns of their own, because under row-level
 * security an index serves no condition that computes them (record 0007). OFFSET 0 keeps the planner from joining all rows of the range with the hours:
 * it cannot know how few the hours are.
 */
function partsOf(projectId: number, { filter, by }: UsageQuestion): Fragment {
  const [from, to] = [Date.parse(filter.from), Date.parse(filter.to)];
  if (to - from > 100 * 366 * DAY_MS) throw new RequestError("bad_request", "the range is longer than a hundred years");
  const conditions = conditionsOf({ ...filter, from: undefined, to: undefined } as unknown as Filter);
  const [hourFrom, hourTo] = [up(ceilMillis(filter.from), HOUR_MS), down(to, HOUR_MS)];
  const [dayFrom, dayTo] = [up(ceilMillis(filter.from), DAY_MS), down(to, DAY_MS)];
  const columns = (began: Fragment, measures: Fragment): Fragment =>
    list([...by.map((grouping, i) => sql`${groupingOf(grouping, began)} AS ${GROUP_NAMES[i] ?? EMPTY}`), sql`cost_currency`, measures]);
  const days = by.includes("hour") ? sql`FALSE` : sql`day >= ${dayFrom} AND day < ${dayTo}`;
  return sql`dirty AS MATERIALIZED (
      SELECT DISTINCT hour FROM usage_dirty_hours WHERE project_id = ${projectId} AND hour >= ${down(from, HOUR_MS)} AND hour < ${new Date(to)}
    ),
    clean_days AS MATERIALIZED (
      SELECT day FROM (SELECT DISTINCT day, day + interval '1 day' AS until FROM usage_days WHERE project_id = ${projectId} AND ${days}) AS summed
      WHERE NOT EXISTS (SELECT FROM dirty WHERE dirty.hour >= summed.day AND dirty.hour < summed.until)
    ),
    open_days AS MATERIALIZED (
      SELECT day, day + interval '1 day' AS until FROM generate_series(${down(from, DAY_MS)}::timestamptz, ${new Date(to)}::timestamptz, interval '1 day') AS day
      WHERE day NOT IN (SELECT day FROM clean_days)
    ),
    read_hours AS MATERIALIZED (
      SELECT hour, hour + interval '1 hour' AS until FROM (
        SELECT hour FROM dirty
        UNION SELECT edge FROM (VALUES (${down(from, HOUR_MS)}::timestamptz), (${down(to, HOUR_MS)}::timestamptz)) AS edges (edge)
        WHERE edge < ${hourFrom} OR edge >= ${hourTo}
      ) AS hours
    ),
    parts AS (
      SELECT ${columns(sql`day`, FROM_SUMS)} FROM usage_days WHERE project_id = ${projectId} AND day IN (SELECT day FROM clean_days) AND (${conditions})
      UNION ALL
      SELECT ${columns(sql`hour`, FROM_SUMS)} FROM open_days o JOIN usage_hours u ON u.project_id = ${projectId} AND u.hour >= o.day AND u.hour < o.until
        AND u.hour >= ${hourFrom} AND u.hour < ${hourTo} AND NOT EXISTS (SELECT FROM dirty WHERE dirty.hour = u.hour) AND (${conditions})
      UNION ALL
      SELECT ${columns(sql`start_time`, FROM_ROWS)} FROM read_hours r CROSS JOIN LATERAL (
        SELECT * FROM generation_logs WHERE project_id = ${projectId} AND start_time >= r.hour AND start_time < r.until
          AND start_time >= ${filter.from}::timestamptz AND start_time < ${filter.to}::timestamptz OFFSET 0
      ) AS g WHERE ${conditions}
    )`;
}

function statisticsOf({ digits, all_digits: allDigits, ...row }: Totals, by: readonly Grouping[]): GenerationStatistics {
  const histogram = histogramOf(digits ?? "", allDigits ?? 0);
  const groups = Object.fromEntries(by.map((grouping, i) => [grouping, row[`g${i + 1}`] ?? null]));
  const { g1: _1, g2: _2, g3: _3, ...measures } = row;
  const none = row.generations === null;
  const zeros = none
    ? { generations: 0, succeeded: 0, failed: 0, timed_out: 0, pending: 0, unpriced: 0, approved: 0, rejected: 0, pending_review: 0 }
    : {};
  return {
    ...groups,
    ...measures,
    ...zeros,
    p50_duration_ms: percentile(histogram, 0.5),
    p95_duration_ms: percentile(histogram, 0.95),
    p99_duration_ms: percentile(histogram, 0.99),
  } as unknown as GenerationStatistics;
}

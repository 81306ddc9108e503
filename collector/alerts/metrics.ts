import { costIn, currenciesBeside, LIST_CURRENCY } from "../query/cost.ts";
import type { Noun } from "../query/filter/noun.ts";
import { GENERATIONS } from "../query/generations/noun.ts";
import { IMAGES } from "../query/images/noun.ts";
import { RUNS } from "../query/runs/noun.ts";
import { type Fragment, sql } from "../query/sql.ts";

/** With more single things than these a message leads to their list. */
export const MAX_THINGS = 20;

/**
 * How a number is measured. `window`: one number of everything that began in a stretch of time, NULL where there is nothing to measure. `each`: one
 * number of every single thing, in the order of their ends. `now`: one number of the present moment, in which there are no windows.
 */
export interface Metric {
  readonly kind: "window" | "each" | "now";
  readonly noun: Noun;
  readonly description: string;
  /** The number: an aggregate, or for `each` an expression of a row. */
  readonly value: Fragment;
  /** Of an amount of money, in place of `value`: the aggregate in one currency, and the other currencies that it leaves out, an array. */
  readonly money?: { readonly valueIn: (currency: string) => Fragment; readonly beside: (currency: string) => Fragment };
  /** For `each`: rows that count, and when each was over. For `now`: rows that count; `:age` stands for the window in seconds. */
  readonly when?: Fragment;
  readonly endedAt?: Fragment;
  /** What the measured rows have in common besides the rule's own filter, in words of the filter: a link leads to these. */
  readonly speaksOf?: string;
  /** For `each` and `now`: what names a row, and the key of the filter that finds it by that. */
  readonly thing?: { readonly id: Fragment; readonly key: string };
}

const failed = sql`generation_status IN ('failed', 'timeout')`;
const ended = sql`generation_status <> 'pending'`;

const FAILED = "status=failed&status=timeout";
const RUN = { id: sql`run_id`, key: "run" } as const;
const IMAGE = { id: sql`id::text`, key: "image" } as const;

const calls = (description: string, value: Fragment, speaksOf = ""): Metric => ({
  ...{ kind: "window", noun: GENERATIONS, description, value, speaksOf },
});
const eachRun = (description: string, value: Fragment): Metric => ({
  kind: "each",
  noun: RUNS,
  description,
  value,
  when: sql`status <> 'running'`,
  endedAt: sql`coalesce(completed_at, updated_at)`,
  thing: RUN,
});
const images = (description: string, value: Fragment): Metric => ({
  ...{ kind: "window", noun: IMAGES, description, value, speaksOf: "status=failed" },
});

/** Counts of nothing are zero; shares and averages of nothing are unknown. */
const TABLE = {
  generations: calls("model calls", sql`count(*)`),
  failures: calls("model calls that failed or timed out", sql`count(*) FILTER (WHERE ${failed})`, FAILED),
  failure_rate: calls(
    "share of the ended model calls that failed or timed out, 0 to 1",
    sql`avg((${failed})::int) FILTER (WHERE ${ended})`,
    FAILED,
  ),
  timeouts: calls(
    "model calls that were announced and never completed",
    sql`count(*) FILTER (WHERE generation_status = 'timeout')`,
    "status=timeout",
  ),
  duration_p95_ms: calls("95th percentile of the duration in milliseconds", sql`percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms)`),
  duration_avg_ms: calls("average duration in milliseconds", sql`avg(duration_ms)`),
  tokens: calls("tokens in all", sql`coalesce(sum(tokens_total), 0)`),
  cost: {
    ...calls("cost in all, in the currency of the rule; amounts of other currencies are left out", costIn(LIST_CURRENCY)),
    money: { valueIn: costIn, beside: currenciesBeside },
  },
  unpriced: calls(
    "model calls with tokens and without a price",
    sql`count(*) FILTER (WHERE cost_amount IS NULL AND tokens_total > 0 AND cached IS NOT TRUE)`,
    "has=unpriced",
  ),
  pending_review: calls(
    "model calls that wait for review",
    sql`count(*) FILTER (WHERE quality_status = 'pending_review')`,
    "quality=pending_review",
  ),
  image_failures: images("image requests that failed", sql`count(*) FILTER (WHERE status = 'failed')`),
  image_failure_rate: images(
    "share of the ended image requests that failed, 0 to 1",
    sql`avg((status = 'failed')::int) FILTER (WHERE status <> 'started')`,
  ),
  image_failed: {
    kind: "each",
    noun: IMAGES,
    description: "1 for an image request that failed, 0 for one that was completed, in the order of their ends",
    value: sql`(status = 'failed')::int`,
    when: sql`status <> 'started'`,
    endedAt: sql`coalesce(completed_at, created_at)`,
    thing: IMAGE,
  },
  run_success_rate: eachRun(
    "share of the requested items that a run inserted, 0 to 1, run by run; 0 for one that failed before it could say",
    sql`coalesce(overall_success_rate, CASE WHEN status = 'failed' THEN 0 END)`,
  ),
  run_approval_rate: eachRun("share of the evaluated items that a run approved, 0 to 1, run by run", sql`approval_rate`),
  run_score: eachRun("average score of the arbiter, run by run", sql`avg_arbiter_score`),
  run_failed: eachRun("1 for a run that failed, 0 for any other, run by run", sql`(status = 'failed')::int`),
  run_duration_seconds: eachRun("duration in seconds, run by run", sql`duration_seconds`),
  stuck_runs: {
    kind: "now",
    noun: RUNS,
    description: "runs that began longer ago than the window and have not ended",
    value: sql`count(*)`,
    when: sql`status = 'running'`,
    speaksOf: "status=running",
    thing: RUN,
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof TABLE;
export const METRICS: Readonly<Record<MetricName, Metric>> = TABLE;
export const METRIC_NAMES = Object.keys(TABLE) as [MetricName, ...MetricName[]];

import { z } from "@hono/zod-openapi";
import { RUN_STATUSES } from "../model/run-report.ts";
import { exactNumber, time } from "./schemas.ts";

/** Shapes of answers about runs. Rows keep the column names of generation_runs; what is unknown is null. */

const text = z.string().nullable();
const count = exactNumber.nullable();
const float = z.number().nullable();
const share = float.openapi({ description: "0 to 1" });

export const runSummary = {
  id: z.guid(),
  run_id: z.string(),
  kind: text,
  started_at: time,
  completed_at: time.nullable(),
  duration_seconds: float,
  status: z.enum(RUN_STATUSES),
  exit_code: float,
  items_requested: count,
  items_generated: count,
  items_evaluated: count,
  items_approved: count,
  items_inserted: count,
  duplicates_found: count,
  generation_success_rate: share,
  approval_rate: share,
  overall_success_rate: share,
  avg_arbiter_score: float,
  total_errors: count,
  total_api_calls: count,
  prompt_version: text,
  arbiter_config_version: text,
  environment: text,
  triggered_by: text,
  service_name: text,
  trace_id: text,
};

const breakdown = z.record(z.string(), z.unknown()).nullable();

export const runRow = {
  ...runSummary,
  generation_failures: count,
  items_rejected: count,
  exact_duplicates: count,
  semantic_duplicates: count,
  duplicate_rate: share,
  insertion_failures: count,
  min_arbiter_score: float,
  max_arbiter_score: float,
  min_arbiter_score_threshold: float,
  provider_metrics: breakdown,
  type_metrics: breakdown,
  difficulty_metrics: breakdown,
  error_summary: breakdown,
  closed_by: text,
  span_id: text,
  created_at: time,
  updated_at: time,
};

export const runDetail = {
  ...runRow,
  losses: z
    .object({ generation: float, evaluation: float, rejection: float, duplication: float, insertion: float })
    .openapi({ description: "items lost between two stages; null where a stage was not counted" }),
  inconsistencies: z.array(z.string()).openapi({ description: "counts that contradict each other" }),
  usage: z
    .object({
      generations: exactNumber,
      failed: exactNumber,
      tokens_total: count,
      tokens_reasoning: count,
      cost_amount: count,
      cost_currency: text,
      unpriced: exactNumber,
    })
    .openapi({ description: "what the model calls that name this run came to" }),
};

export const trend = {
  direction: z.enum(["improving", "declining", "flat", "too_few"]),
  runs: z.number(),
  mean: float,
  change_per_day: float,
  change: float,
};

const Trend = z.object(trend).openapi("Trend");

export const runStats = {
  runs: exactNumber,
  running: exactNumber,
  succeeded: exactNumber,
  partly_failed: exactNumber,
  failed: exactNumber,
  items_requested: count,
  items_generated: count,
  items_evaluated: count,
  items_approved: count,
  items_inserted: count,
  generation_success_rate: share,
  approval_rate: share,
  overall_success_rate: share,
  avg_arbiter_score: float,
  min_arbiter_score: float,
  max_arbiter_score: float,
  avg_duration_seconds: float,
  median_duration_seconds: float,
  seconds_per_item: float,
  total_api_calls: count,
  api_calls_per_inserted: float,
  providers: z.array(
    z.object({
      provider: z.string(),
      runs: exactNumber,
      generated: count,
      api_calls: count,
      failures: count,
      evaluated: count,
      approved: count,
      rejected: count,
      approval_rate: share,
      failure_rate: share,
      api_calls_per_generated: float,
    }),
  ),
  errors: z.array(z.object({ category: z.string(), errors: exactNumber, runs: exactNumber, failed_runs: exactNumber })),
  trends: z.record(z.string(), Trend),
  trend_rule: z.string(),
};

export const promptVersion = {
  prompt_version: text,
  runs: exactNumber,
  items_evaluated: count,
  items_approved: count,
  approval_rate: share,
  overall_success_rate: share,
  avg_arbiter_score: float,
  first_started_at: time,
};

/** The same fields under the names of the question service: items_requested → questions_requested. */
export const underQuestionNames = (shape: z.ZodRawShape): z.ZodRawShape =>
  Object.fromEntries(
    Object.entries(shape).map(([field, type]) => [field.startsWith("items_") ? `questions_${field.slice(6)}` : field, type]),
  );

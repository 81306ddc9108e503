import { RUN_STATUSES } from "../../model/run-report.ts";
import { choiceKey, countKey, type FilterKey, maximumKey, minimumKey, type Noun, projectKey, textKey } from "../filter/noun.ts";
import { or, sql } from "../sql.ts";

/** Text compared with something else than a column. */
const textValue = textKey("kind", "").value;

/** Runs in which errors of this category happened. */
const errorKey: FilterKey = {
  value: textValue,
  description: "category of an error that happened in the run, as error_summary counts it: rate_limit",
  where: (values) =>
    or(
      values.map(String).map((category) => {
        const counted = sql`error_summary #> ARRAY['by_category', ${category}::text]`;
        return sql`CASE WHEN jsonb_typeof(${counted}) = 'number' THEN (${counted})::numeric > 0 END`;
      }),
    ),
};

const providerKey: FilterKey = {
  value: textValue,
  description: "provider that took part, as provider_metrics names it",
  where: (values) => or(values.map(String).map((provider) => sql`jsonb_exists(provider_metrics, ${provider}::text)`)),
};

const runKey: FilterKey = {
  value: textValue,
  description: "the run itself, by its id",
  where: (values) => sql`run_id = ANY(${values.map(String)}::text[])`,
};

/** Batch runs: one row each of generation_runs. */
export const RUNS: Noun = {
  name: "runs",
  from: sql`generation_runs`,
  time: sql`started_at`,
  identity: [sql`id::text`],
  keys: {
    status: choiceKey("status", RUN_STATUSES, "state of the run"),
    env: textKey("environment", "deployment environment"),
    service: textKey("service_name", "service that ran it"),
    project: projectKey,
    kind: textKey("kind", "kind of job"),
    trigger: textKey("triggered_by", "what started it: scheduler, manual, webhook"),
    version: textKey("prompt_version", "version of the prompt"),
    arbiter: textKey("arbiter_config_version", "version of the arbiter's configuration"),
    provider: providerKey,
    error: errorKey,
    run: runKey,
    exit_code: countKey("exit_code", "exit code"),
    requested: countKey("items_requested", "number of items asked for"),
    min_success: minimumKey("overall_success_rate", "at least this share of the requested items was inserted, 0 to 1"),
    max_success: maximumKey("overall_success_rate", "at most this share of the requested items was inserted, 0 to 1"),
    min_approval: minimumKey("approval_rate", "at least this share of the evaluated items was approved, 0 to 1"),
    max_approval: maximumKey("approval_rate", "at most this share of the evaluated items was approved, 0 to 1"),
    min_ms: {
      ...minimumKey("duration_seconds", "took at least this many milliseconds"),
      where: (values) => sql`duration_seconds >= ${Math.min(...values.map(Number)) / 1000}::float8`,
    },
    max_ms: {
      ...maximumKey("duration_seconds", "took at most this many milliseconds"),
      where: (values) => sql`duration_seconds <= ${Math.max(...values.map(Number)) / 1000}::float8`,
    },
  },
  sorts: {
    started_at: { expression: sql`started_at`, type: "timestamptz" },
    duration: { expression: sql`duration_seconds`, type: "float8" },
    success_rate: { expression: sql`overall_success_rate`, type: "float8" },
    approval_rate: { expression: sql`approval_rate`, type: "float8" },
    score: { expression: sql`avg_arbiter_score`, type: "float8" },
  },
};

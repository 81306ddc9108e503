import { RequestError } from "../../base/request-error.ts";
import { COST_AMOUNT, COST_CURRENCY } from "../cost.ts";
import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import { oneOf } from "../filter/noun.ts";
import type { Filter } from "../filter/parse.ts";
import type { Ask, Reader } from "../reader.ts";
import { type Fragment, sql } from "../sql.ts";
import { driftOf, type PromptSample } from "./template-text.ts";

/** A prompt template by its name, as lists show it. */
export interface PromptSummary {
  readonly name: string;
  readonly versions: number;
  readonly latest_version: string | null;
  readonly generations: number;
  readonly first_seen: string;
  readonly last_seen: string;
}

/** How one version of a prompt did. */
export interface PromptVersion {
  readonly version: string | null;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly generations: number;
  readonly ended: number;
  readonly succeeded: number;
  readonly success_rate: number | null;
  readonly reviewed: number;
  readonly approved: number;
  readonly approval_rate: number | null;
  readonly avg_tokens_prompt: number | null;
  readonly avg_tokens_completion: number | null;
  readonly avg_tokens_reasoning: number | null;
  readonly avg_tokens: number | null;
  readonly p50_duration_ms: number | null;
  readonly p95_duration_ms: number | null;
  readonly cost_amount: ExactNumber | null;
  readonly cost_currency: string | null;
  readonly cost_per_call: number | null;
  readonly cost_per_approved: number | null;
  readonly models: readonly string[];
  /** Different texts under this version among the calls that were looked at. */
  readonly texts: number;
  readonly drift: boolean | null;
}

/** What comparisons need beyond what is shown. */
export interface VersionSpread {
  readonly tokens_known: number;
  readonly tokens_variance: number | null;
  readonly duration_known: number;
  readonly duration_mean: number | null;
  readonly duration_variance: number | null;
  readonly cost_known: number;
  readonly cost_variance: number | null;
}

export interface PromptQuestion {
  readonly projectId: number;
  readonly filter: Filter;
}

const MAX_PROMPTS = 1_000;
const MAX_VERSIONS = 100;
/** So many of the latest calls of a version are looked at, and about twice as many spread over its time. */
const SAMPLED = 20;
const SAMPLED_CHARS = 20_000;

/** Prompt templates named in the data, the latest used first. */
export const listPrompts = (reader: Reader, { projectId, filter }: PromptQuestion): Promise<PromptSummary[]> =>
  reader.read({ projectId }, (ask) =>
    ask<PromptSummary>(sql`
      SELECT prompt_template_name AS name, count(DISTINCT coalesce(prompt_template_version, '')) AS versions,
        (array_agg(prompt_template_version ORDER BY start_time DESC))[1] AS latest_version, count(*) AS generations,
        min(start_time) AS first_seen, max(start_time) AS last_seen
      FROM generation_logs WHERE project_id = ${projectId} AND prompt_template_name IS NOT NULL AND (${conditionsOf(filter)})
      GROUP BY 1 ORDER BY max(start_time) DESC LIMIT ${MAX_PROMPTS}`),
  );

const METRICS: Fragment = sql`prompt_template_version AS version, min(start_time) AS first_seen, max(start_time) AS last_seen, count(*) AS generations,
  count(*) FILTER (WHERE generation_status <> 'pending') AS ended, count(*) FILTER (WHERE generation_status = 'success') AS succeeded,
  count(*) FILTER (WHERE quality_status IN ('approved', 'rejected')) AS reviewed, count(*) FILTER (WHERE quality_status = 'approved') AS approved,
  avg(tokens_prompt)::float8 AS avg_tokens_prompt, avg(tokens_completion)::float8 AS avg_tokens_completion, avg(tokens_reasoning)::float8 AS avg_tokens_reasoning,
  avg(tokens_total)::float8 AS avg_tokens, count(tokens_total) AS tokens_known, var_samp(tokens_total)::float8 AS tokens_variance,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50_duration_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms,
  count(duration_ms) AS duration_known, avg(duration_ms) AS duration_mean, var_samp(duration_ms) AS duration_variance,
  ${COST_AMOUNT} AS cost_amount, ${COST_CURRENCY} AS cost_currency, count(cost_amount) AS cost_known,
  avg(cost_amount)::float8 AS cost_mean, var_samp(cost_amount)::float8 AS cost_variance, array_remove(array_agg(DISTINCT model_name), NULL) AS models`;

type Measured = Omit<PromptVersion, "success_rate" | "approval_rate" | "cost_per_call" | "cost_per_approved" | "texts" | "drift"> &
  VersionSpread & { readonly cost_mean: number | null };

export type MeasuredVersion = PromptVersion & VersionSpread;

/** Versions of a prompt with their numbers, the latest used first: all, or those named. Throws RequestError for a name that no call has. */
export function readVersions(
  reader: Reader,
  name: string,
  { projectId, filter, versions: wanted }: PromptQuestion & { readonly versions?: readonly string[] },
): Promise<MeasuredVersion[]> {
  const chosen = wanted === undefined ? sql`TRUE` : oneOf(sql`prompt_template_version`, wanted);
  return reader.read({ projectId }, async (ask) => {
    const rows = await ask<Measured>(sql`
      SELECT ${METRICS} FROM generation_logs WHERE project_id = ${projectId} AND prompt_template_name = ${name} AND (${chosen}) AND (${conditionsOf(filter)})
      GROUP BY prompt_template_version ORDER BY max(start_time) DESC LIMIT ${MAX_VERSIONS}`);
    if (rows.length === 0 && wanted === undefined)
      throw new RequestError("not_found", "no call of this project and this filter has a prompt of that name");
    const versions: MeasuredVersion[] = [];
    for (const row of rows)
      versions.push({ ...withRates(row), ...driftOf(await samplesOf(ask, name, { projectId, filter, version: row.version })) });
    return versions;
  });
}

const share = (count: number, of: number): number | null => (of === 0 ? null : count / of);

function withRates({ cost_mean, ...row }: Measured): Omit<MeasuredVersion, "texts" | "drift"> {
  const cost = row.cost_amount === null ? null : Number(row.cost_amount);
  return {
    ...row,
    success_rate: share(row.succeeded, row.ended),
    approval_rate: share(row.approved, row.reviewed),
    cost_per_call: cost === null ? null : cost_mean,
    cost_per_approved: cost === null || row.approved === 0 ? null : cost / row.approved,
  };
}

interface SampleQuestion extends PromptQuestion {
  readonly version: string | null;
}

/** Calls of one version from all of its time, with what shows their template: the latest, and others evenly spread down to the first. */
export const samplesOf = (
  ask: Ask,
  name: string,
  { projectId, filter, version }: SampleQuestion,
): Promise<(PromptSample & { readonly id: string })[]> =>
  ask<PromptSample & { readonly id: string }>(sql`
    WITH numbered AS (
      SELECT trace_id, span_id, start_time, row_number() OVER (ORDER BY start_time DESC) AS n, count(*) OVER () AS calls
      FROM generation_logs WHERE project_id = ${projectId} AND prompt_template_name = ${name} AND prompt_template_version IS NOT DISTINCT FROM ${version}::text
        AND (prompt_full_text IS NOT NULL OR system_instructions IS NOT NULL) AND (${conditionsOf(filter)})
    ), chosen AS (
      SELECT trace_id, span_id, start_time FROM numbered WHERE n <= ${SAMPLED} OR n = calls OR n % greatest(1, calls / ${SAMPLED}) = 0
    )
    SELECT id, left(prompt_full_text, ${SAMPLED_CHARS}) AS prompt_full_text, prompt_format, left(system_instructions, ${SAMPLED_CHARS}) AS system_instructions, prompt_variables
    FROM chosen JOIN generation_logs USING (trace_id, span_id, start_time) WHERE project_id = ${projectId}
    ORDER BY start_time DESC`);

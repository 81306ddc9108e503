import { RequestError } from "../../base/request-error.ts";
import { compareMeans, compareProportions, type Significance } from "../../model/significance.ts";
import { diffTexts, type TextDiff } from "../../model/text-diff.ts";
import { conditionsOf } from "../filter/conditions.ts";
import { NONE } from "../filter/noun.ts";
import { compareModules, type Difference, differences, type GenerationComparison } from "../generations/compare.ts";
import type { Row } from "../generations/one.ts";
import type { Ask, Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { templateText } from "./template-text.ts";
import { type MeasuredVersion, type PromptQuestion, type PromptVersion, readVersions, samplesOf } from "./versions.ts";

/** Two versions of one prompt: what changed, and whether it helped. */
export interface PromptComparison {
  readonly a: PromptVersion;
  readonly b: PromptVersion;
  /** Of b against a; without costs where they are in two currencies. */
  readonly changes: readonly MetricChange[];
  readonly text: TextDiff;
  /** Parameters of the latest call of each. */
  readonly parameters: readonly Difference[];
  readonly modules: GenerationComparison["modules"];
  /** What both versions made for the same thing of the application. */
  readonly pairs: readonly OutputPair[];
}

export interface MetricChange extends Significance {
  readonly metric: "success_rate" | "approval_rate" | "duration_ms" | "tokens_total" | "cost_per_call";
  readonly a: number | null;
  readonly b: number | null;
  /** Calls behind each side. */
  readonly a_size: number;
  readonly b_size: number;
}

export interface OutputPair {
  readonly entity_type: string;
  readonly entity_id: string;
  readonly a_id: string;
  readonly b_id: string;
  readonly a_response: string | null;
  readonly b_response: string | null;
}

const MAX_PAIRS = 10;
const PARAMETERS = [
  "provider_name",
  "model_name",
  "model_temperature",
  "model_max_tokens",
  "model_top_p",
  "model_reasoning_level",
  "model_stop_sequences",
];

/** Compares two versions; `(none)` is that of calls without one. Throws RequestError for one that no call has. */
export async function comparePrompts(
  reader: Reader,
  name: string,
  versions: readonly [string, string],
  question: PromptQuestion,
): Promise<PromptComparison> {
  const known = await readVersions(reader, name, { ...question, versions });
  const [a, b] = versions.map((version) => known.find((each) => (each.version ?? NONE) === version));
  if (a === undefined || b === undefined) {
    const all = await readVersions(reader, name, question);
    throw new RequestError("not_found", `there are the versions ${all.map(({ version }) => version ?? NONE).join(", ")}`);
  }
  return reader.read({ projectId: question.projectId }, async (ask) => {
    const [before, after] = [await latestOf(ask, name, question, a), await latestOf(ask, name, question, b)];
    return {
      a: shown(a),
      b: shown(b),
      changes: changesOf(a, b),
      text: diffTexts(before.text, after.text),
      parameters: differences(before.row, after.row, PARAMETERS),
      modules: compareModules(before.row["prompt_modules_used"], after.row["prompt_modules_used"]),
      pairs: await pairsOf(ask, name, [a.version, b.version], question),
    };
  });
}

/** Without what only the comparison needs. */
export function shown(version: MeasuredVersion): PromptVersion {
  const {
    tokens_known: _1,
    tokens_variance: _2,
    duration_known: _3,
    duration_mean: _4,
    duration_variance: _5,
    cost_known: _6,
    cost_variance: _7,
    ...rest
  } = version;
  return rest;
}

function changesOf(a: MeasuredVersion, b: MeasuredVersion): MetricChange[] {
  const rate = (metric: "success_rate" | "approval_rate", count: "succeeded" | "approved", of: "ended" | "reviewed"): MetricChange => ({
    metric,
    ...{ a: a[metric], b: b[metric], a_size: a[of], b_size: b[of] },
    ...compareProportions({ count: a[count], of: a[of] }, { count: b[count], of: b[of] }),
  });
  const mean = (
    metric: MetricChange["metric"],
    read: (version: MeasuredVersion) => readonly [size: number, mean: number | null, variance: number | null],
  ): MetricChange => {
    const [[aSize, aMean, aVariance], [bSize, bMean, bVariance]] = [read(a), read(b)];
    const test = compareMeans({ size: aSize, mean: aMean, variance: aVariance }, { size: bSize, mean: bMean, variance: bVariance });
    return { metric, a: aMean, b: bMean, a_size: aSize, b_size: bSize, ...test };
  };
  return [
    rate("success_rate", "succeeded", "ended"),
    rate("approval_rate", "approved", "reviewed"),
    mean("duration_ms", (version) => [version.duration_known, version.duration_mean, version.duration_variance]),
    mean("tokens_total", (version) => [version.tokens_known, version.avg_tokens, version.tokens_variance]),
    // Amounts of two currencies are not compared.
    ...(a.cost_currency === null || b.cost_currency === null || a.cost_currency === b.cost_currency
      ? [mean("cost_per_call", (version) => [version.cost_known, version.cost_per_call, version.cost_variance])]
      : []),
  ];
}

async function latestOf(
  ask: Ask,
  name: string,
  question: PromptQuestion,
  { version }: PromptVersion,
): Promise<{ readonly row: Row; readonly text: string | null }> {
  const [sample] = await samplesOf(ask, name, { ...question, version });
  const [row] = await ask<Row>(sql`
    SELECT * FROM generation_logs WHERE project_id = ${question.projectId} AND prompt_template_name = ${name}
      AND prompt_template_version IS NOT DISTINCT FROM ${version}::text AND (${conditionsOf(question.filter)}) ORDER BY start_time DESC LIMIT 1`);
  return { row: row ?? {}, text: sample === undefined ? null : (templateText(sample) ?? null) };
}

/** The latest output of each version for one entity; entities used last come first. */
const pairsOf = (
  ask: Ask,
  name: string,
  [a, b]: readonly [string | null, string | null],
  { projectId, filter }: PromptQuestion,
): Promise<OutputPair[]> => {
  const latest = (version: string | null) => sql`
    SELECT DISTINCT ON (entity_type, entity_id) entity_type, entity_id, id, start_time, left(response_full_text, 2000) AS response
    FROM generation_logs WHERE project_id = ${projectId} AND prompt_template_name = ${name} AND prompt_template_version IS NOT DISTINCT FROM ${version}::text
      AND entity_id IS NOT NULL AND generation_status = 'success' AND (${conditionsOf(filter)})
    ORDER BY entity_type, entity_id, start_time DESC`;
  return ask<OutputPair>(sql`
    SELECT x.entity_type, x.entity_id, x.id AS a_id, y.id AS b_id, x.response AS a_response, y.response AS b_response
    FROM (${latest(a)}) AS x JOIN (${latest(b)}) AS y ON x.entity_type = y.entity_type AND x.entity_id = y.entity_id
    ORDER BY greatest(x.start_time, y.start_time) DESC LIMIT ${MAX_PAIRS}`);
};

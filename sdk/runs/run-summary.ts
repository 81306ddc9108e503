/**
 * The figures of one batch run, and everything that is computed from them: pure, without imports, so that the application and the collector compute alike.
 * Keys are the columns of generation_runs. What is unknown is absent; a rate whose denominator is 0 is unknown.
 */

/** How a run can stand. */
export const RUN_STATUSES = ["running", "success", "partial_failure", "failed"] as const;
/** How a run stands: under way, or ended with all, some or none of what was asked for. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Counts that say how many items came through each stage, and what it took. */
export const RUN_COUNTS = [
  "items_requested",
  "items_generated",
  "generation_failures",
  "items_evaluated",
  "items_approved",
  "items_rejected",
  "duplicates_found",
  "exact_duplicates",
  "semantic_duplicates",
  "items_inserted",
  "insertion_failures",
  "total_errors",
  "total_api_calls",
] as const;

/** Rates (0 to 1) and scores. */
export const RUN_MEASURES = [
  "generation_success_rate",
  "approval_rate",
  "avg_arbiter_score",
  "min_arbiter_score",
  "max_arbiter_score",
  "duplicate_rate",
  "overall_success_rate",
  "min_arbiter_score_threshold",
] as const;

/** Words: the configuration that was used. */
export const RUN_WORDS = ["prompt_version", "arbiter_config_version"] as const;

/** Breakdowns, kept as JSON. */
export const RUN_BREAKDOWNS = ["provider_metrics", "type_metrics", "difficulty_metrics", "error_summary"] as const;

export type RunCount = (typeof RUN_COUNTS)[number];
export type RunMeasure = (typeof RUN_MEASURES)[number];

/** What one provider did within a run. Further keys of the application's own are kept. */
export interface ProviderMetrics {
  generated?: number;
  api_calls?: number;
  failures?: number;
  evaluated?: number;
  approved?: number;
  rejected?: number;
  [key: string]: unknown;
}

/** Errors of a run by kind. Further keys of the application's own are kept. */
export interface ErrorSummary {
  by_category?: Readonly<Record<string, number>>;
  by_severity?: Readonly<Record<string, number>>;
  critical_count?: number;
  [key: string]: unknown;
}

/** What happened by provider, by kind of item, by difficulty and by kind of error. */
export interface RunBreakdowns {
  readonly provider_metrics?: Readonly<Record<string, ProviderMetrics>>;
  readonly type_metrics?: Readonly<Record<string, number>>;
  readonly difficulty_metrics?: Readonly<Record<string, number>>;
  readonly error_summary?: ErrorSummary;
}

/** A run's figures under the names of the columns of generation_runs. */
export type RunSummary = { readonly [K in RunCount | RunMeasure]?: number } & {
  readonly [K in (typeof RUN_WORDS)[number]]?: string;
} & RunBreakdowns;

/** Every key of a RunSummary. */
export const RUN_FIELDS = [...RUN_COUNTS, ...RUN_MEASURES, ...RUN_WORDS, ...RUN_BREAKDOWNS] as const;

/** `part / whole`, or undefined where one is unknown or the whole is 0. */
export function rateOf(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

/** Lowest, highest and mean of scores, from what a counter can keep. */
export interface ScoreTotals {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Before the first score. */
export const NO_SCORES: ScoreTotals = { count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

/** Adds one score; what is no finite number changes nothing. */
export function addScore(totals: ScoreTotals, score: number | undefined): ScoreTotals {
  if (score === undefined || !Number.isFinite(score)) return totals;
  return { count: totals.count + 1, sum: totals.sum + score, min: Math.min(totals.min, score), max: Math.max(totals.max, score) };
}

/** The three columns of scores; empty where nothing was scored. */
export function scoreFields({ count, sum, min, max }: ScoreTotals): Pick<RunSummary, RunMeasure> {
  return count === 0 ? {} : { avg_arbiter_score: sum / count, min_arbiter_score: min, max_arbiter_score: max };
}

/**
 * Fills in what follows from the rest. What the sender said itself is never replaced: its counts and rates may follow rules of its own.
 *
 * | field | from |
 * |---|---|
 * | items_evaluated | approved + rejected |
 * | items_rejected | evaluated − approved |
 * | duplicates_found | exact + semantic |
 * | generation_success_rate | generated / requested |
 * | approval_rate | approved / evaluated |
 * | duplicate_rate | duplicates found / approved (generated, where nothing was evaluated): these are compared with what exists |
 * | overall_success_rate | inserted / requested |
 */
export function completeSummary(given: RunSummary): RunSummary {
  const evaluated = given.items_evaluated ?? sumOf(given.items_approved, given.items_rejected);
  const rejected = given.items_rejected ?? differenceOf(evaluated, given.items_approved);
  const duplicates = given.duplicates_found ?? sumOf(given.exact_duplicates, given.semantic_duplicates);
  return withoutAbsent({
    items_evaluated: evaluated,
    items_rejected: rejected,
    duplicates_found: duplicates,
    generation_success_rate: rateOf(given.items_generated, given.items_requested),
    approval_rate: rateOf(given.items_approved, evaluated),
    duplicate_rate: rateOf(duplicates, given.items_approved ?? given.items_generated),
    overall_success_rate: rateOf(given.items_inserted, given.items_requested),
    ...withoutAbsent(given),
  });
}

const sumOf = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;

const differenceOf = (whole: number | undefined, part: number | undefined): number | undefined =>
  whole === undefined || part === undefined || part > whole ? undefined : whole - part;

/** The same fields without those that are undefined or null. */
function withoutAbsent(summary: { readonly [K in keyof RunSummary]: RunSummary[K] | undefined }): RunSummary {
  return Object.fromEntries(Object.entries(summary).filter(([, value]) => value !== undefined && value !== null)) as RunSummary;
}

/** Exit codes of a batch job: 0 everything, 1 a part, 2 to 6 nothing (what failed: generation, configuration, database, quota, authentication). */
const [EXIT_SUCCESS, EXIT_PARTIAL] = [0, 1];

/** How a run ended: by its exit code where there is one, else by how many of the requested items were stored (or generated, where nothing is stored). */
export function statusOf(summary: RunSummary, exitCode: number | undefined): Exclude<RunStatus, "running"> {
  if (exitCode !== undefined) return exitCode === EXIT_SUCCESS ? "success" : exitCode === EXIT_PARTIAL ? "partial_failure" : "failed";
  const { items_requested: requested = 0, items_inserted, items_generated } = summary;
  const made = items_inserted ?? items_generated ?? 0;
  if (made >= requested) return "success";
  return made > 0 ? "partial_failure" : "failed";
}

/** Items lost between two stages, in the order of the stages; undefined where a stage was not counted. */
export interface RunLosses {
  readonly generation: number | undefined;
  readonly evaluation: number | undefined;
  readonly rejection: number | undefined;
  readonly duplication: number | undefined;
  readonly insertion: number | undefined;
}

/** Where the items between requested and inserted went. A negative number shows that the counts contradict each other. */
export function lossesOf(summary: RunSummary): RunLosses {
  const { items_requested, items_generated, items_evaluated, items_approved, duplicates_found, items_inserted } = completeSummary(summary);
  const between = (before: number | undefined, after: number | undefined): number | undefined =>
    before === undefined || after === undefined ? undefined : before - after;
  const unique = between(items_approved, duplicates_found);
  return {
    generation: between(items_requested, items_generated),
    evaluation: between(items_generated, items_evaluated),
    rejection: between(items_evaluated, items_approved),
    duplication: duplicates_found,
    insertion: between(unique, items_inserted),
  };
}

const GENERAL = "items_";
const QUESTIONS = "questions_";

/** The general names under those of the question service: items_requested → questions_requested. */
export const toQuestionNames = <T extends object>(fields: T): Record<string, unknown> => renamed(fields, GENERAL, QUESTIONS);

/** The names of the question service under the general ones: questions_requested → items_requested. */
export const fromQuestionNames = <T extends object>(fields: T): Record<string, unknown> => renamed(fields, QUESTIONS, GENERAL);

const renamed = (fields: object, from: string, to: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key.startsWith(from) ? to + key.slice(from.length) : key, value]));

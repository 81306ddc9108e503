import { isObject } from "../base/json-values.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Short names within a section, each line `column: names`. */
const names = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .trim()
      .split("\n")
      .flatMap((line) => {
        const [column = "", short = ""] = line.split(":");
        return short
          .trim()
          .split(" ")
          .map((name) => [name, column.trim()] as const);
      }),
  );

const TIMING = names(`
  started_at: started_at started start start_time
  completed_at: completed_at completed finished_at finished end end_time
  duration_seconds: duration_seconds total_duration_seconds`);
const OUTCOME = names(`
  status: status
  exit_code: exit_code
  overall_success_rate: overall_success_rate success_rate`);
const BREAKDOWN = names(`
  provider_metrics: by_provider providers provider
  type_metrics: by_type types type by_question_type question_types
  difficulty_metrics: by_difficulty difficulties difficulty`);
const GENERATION = names(`
  items_requested: requested
  items_generated: generated
  generation_failures: failures failed
  generation_success_rate: success_rate`);
const EVALUATION = names(`
  items_evaluated: evaluated
  items_approved: approved
  items_rejected: rejected
  approval_rate: approval_rate
  avg_arbiter_score: avg_score average_score avg average mean_score
  min_arbiter_score: min_score min
  max_arbiter_score: max_score max`);
const DEDUPLICATION = names(`
  duplicates_found: duplicates found
  exact_duplicates: exact
  semantic_duplicates: semantic
  duplicate_rate: rate`);
const DATABASE = names(`
  items_inserted: inserted
  insertion_failures: failures failed`);
const ERRORS = names("total_errors: total total_errors count");
const API = names("total_api_calls: total_calls calls total api_calls");
const CONFIGURATION = names(`
  prompt_version: prompt_version prompt
  arbiter_config_version: arbiter_config_version arbiter_config arbiter_version arbiter
  min_arbiter_score_threshold: min_arbiter_score_threshold min_arbiter_score min_score arbiter_threshold threshold thresholds`);
const ENVIRONMENT = names(`
  environment: environment name env
  triggered_by: triggered_by trigger triggered`);
const COUNTS = names(`
  items_requested: requested
  items_generated: generated
  items_evaluated: evaluated
  items_approved: approved
  items_rejected: rejected
  duplicates_found: duplicates
  items_inserted: inserted
  total_errors: errors
  total_api_calls: api_calls`);

/** Groups of short names, by the name of the section that they stand in; endings such as `_metrics` do not count. */
const SECTIONS: readonly (readonly [string, readonly ReadonlyMap<string, string>[]])[] = [
  ["timing time execution run", [TIMING, OUTCOME]],
  ["outcome status overall result", [OUTCOME, COUNTS]],
  ["generation", [GENERATION, BREAKDOWN]],
  ["evaluation arbiter approval scores", [EVALUATION]],
  ["deduplication dedup duplicates", [DEDUPLICATION]],
  ["database storage insertion", [DATABASE]],
  ["errors error", [ERRORS]],
  ["api calls", [API]],
  ["breakdown breakdowns", [BREAKDOWN]],
  ["config configuration settings", [CONFIGURATION, ENVIRONMENT]],
  ["environment context trigger", [ENVIRONMENT]],
  ["stats statistics counts totals summary metrics", [COUNTS, BREAKDOWN]],
];

const BY_SECTION: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  SECTIONS.flatMap(([sections, groups]) => {
    const all = new Map(groups.flatMap((group) => [...group]));
    return sections.split(" ").map((section) => [section, all] as const);
  }),
);
const NO_SHORT_NAMES: ReadonlyMap<string, string> = new Map();

/** Sections that are a column as a whole. */
const WHOLE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(BREAKDOWN),
  error: "error_summary",
  errors: "error_summary",
};

/** Sections that hold sections. */
const WRAPPERS = new Set(["summary", "stats", "statistics", "metrics", "run"]);

const snakeCase = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();

const ENDINGS = /_(?:metrics|stats|statistics|tracking|usage|used|summary|metadata|timing|context|outcome|success)$/;
const sectionName = (key: string): string => snakeCase(key).replace(ENDINGS, "");

/**
 * What a report says in sections, by short names (`{"generation": {"requested": 50}}`) or full ones, as pairs of a name and its value; whoever takes them
 * knows which names are columns, and reads each value leniently.
 */
export function* sectionEntries(report: JsonObject): Generator<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(report)) {
    if (!isObject(value)) continue;
    const section = sectionName(key);
    const whole = Object.hasOwn(WHOLE, section) ? WHOLE[section] : undefined;
    if (whole !== undefined) yield [whole, breakdownOf(whole, value)];
    const columns = BY_SECTION.get(section) ?? NO_SHORT_NAMES;
    for (const [name, told] of namedEntries(value, columns))
      if (whole === undefined || columns.has(name)) yield [columns.get(name) ?? name, told];
    if (WRAPPERS.has(section)) yield* sectionEntries(value);
  }
}

/** Names in snake case; a name for a column that is told as an object stands for what is within (`thresholds: {min_arbiter_score: 0.7}`). */
function* namedEntries(section: JsonObject, columns: ReadonlyMap<string, string>): Generator<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(section)) {
    const name = snakeCase(key);
    if (name === "thresholds" && isObject(value)) yield* namedEntries(value, columns);
    else yield [name, breakdownOf(columns.get(name), value)];
  }
}

const ERROR_KEYS: Readonly<Record<string, string>> = { category: "by_category", severity: "by_severity", critical: "critical_count" };

/** A breakdown in the form of its column: of a provider told by one number it is what was generated; kinds of error have their full names. */
function breakdownOf(column: string | undefined, value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  if (column === "provider_metrics")
    return Object.fromEntries(entries.map(([provider, told]) => [provider, typeof told === "number" ? { generated: told } : told]));
  if (column === "error_summary") return Object.fromEntries(entries.map(([key, told]) => [ERROR_KEYS[key] ?? key, told]));
  return value;
}

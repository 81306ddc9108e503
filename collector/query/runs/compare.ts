import { RequestError } from "../../base/request-error.ts";
import type { Reader } from "../reader.ts";
import { type RunRow, readRuns } from "./one.ts";

/** Figures that are compared, and which of two values is the better one. */
const FIGURES = {
  duration_seconds: "lower",
  items_requested: null,
  items_generated: "higher",
  generation_failures: "lower",
  generation_success_rate: "higher",
  items_evaluated: null,
  items_approved: "higher",
  items_rejected: "lower",
  approval_rate: "higher",
  avg_arbiter_score: "higher",
  min_arbiter_score: "higher",
  max_arbiter_score: "higher",
  duplicates_found: "lower",
  duplicate_rate: "lower",
  items_inserted: "higher",
  insertion_failures: "lower",
  overall_success_rate: "higher",
  total_errors: "lower",
  total_api_calls: "lower",
} as const;

const CONFIGURATION = [
  "kind",
  "prompt_version",
  "arbiter_config_version",
  "min_arbiter_score_threshold",
  "environment",
  "triggered_by",
  "service_name",
] as const;

export interface ComparedFigure {
  readonly name: string;
  /** In the order of the runs. */
  readonly values: readonly (number | null)[];
  /** Against the first run; NULL where one of the two is unknown. */
  readonly deltas: readonly (number | null)[];
  /** How each run does against the first. */
  readonly verdicts: readonly ("better" | "worse" | "equal" | "different" | null)[];
}

export interface ComparedSetting {
  readonly name: string;
  readonly values: readonly (string | number | null)[];
  readonly differs: boolean;
}

export interface RunComparison {
  readonly runs: readonly RunRow[];
  readonly figures: readonly ComparedFigure[];
  readonly configuration: readonly ComparedSetting[];
}

const MIN_RUNS = 2;
const MAX_RUNS = 4;

/** Two to four runs beside each other, in the order of `ids`. */
export const compareRuns = (reader: Reader, projectId: number, ids: readonly string[]): Promise<RunComparison> => {
  if (ids.length < MIN_RUNS || ids.length > MAX_RUNS || new Set(ids).size < ids.length) {
    throw new RequestError("bad_request", `name ${MIN_RUNS} to ${MAX_RUNS} different runs, each as id=`);
  }
  return reader.read({ projectId }, async (ask) => comparisonOf(await readRuns(ask, projectId, ids)));
};

/** Pure part of the comparison; every figure that any of the runs has. */
export function comparisonOf(runs: readonly RunRow[]): RunComparison {
  const figures = Object.entries(FIGURES).flatMap(([name, better]) => {
    const values = runs.map((run) => numberOf(run[name as keyof RunRow]));
    return values.every((value) => value === null) ? [] : [figureOf(name, values, better)];
  });
  const configuration = CONFIGURATION.map((name) => {
    const values = runs.map((run) => run[name]);
    return { name, values, differs: new Set(values).size > 1 };
  });
  return { runs, figures, configuration };
}

const numberOf = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));

function figureOf(name: string, values: readonly (number | null)[], better: "higher" | "lower" | null): ComparedFigure {
  const [first = null] = values;
  const deltas = values.map((value) => (value === null || first === null ? null : value - first));
  const verdicts = deltas.map((delta, i) => {
    if (delta === null || i === 0) return null;
    if (delta === 0) return "equal";
    if (better === null) return "different";
    return delta > 0 === (better === "higher") ? "better" : "worse";
  });
  return { name, values, deltas, verdicts };
}

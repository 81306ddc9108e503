import {
  completeSummary,
  RUN_BREAKDOWNS,
  RUN_COUNTS,
  RUN_MEASURES,
  RUN_STATUSES,
  RUN_WORDS,
  type RunStatus,
  type RunSummary,
  statusOf,
} from "../../sdk/runs/run-summary.ts";
import { isObject, numberOf } from "../base/json-values.ts";
import { sectionEntries } from "./run-sections.ts";

export { lossesOf, type RunLosses, toQuestionNames } from "../../sdk/runs/run-summary.ts";
export { RUN_BREAKDOWNS, RUN_COUNTS, RUN_MEASURES, RUN_STATUSES, type RunStatus, type RunSummary };

/** Words about a run beside its figures. */
export const RUN_TEXTS = ["kind", ...RUN_WORDS, "environment", "triggered_by", "service_name"] as const;
export const RUN_TIMES = ["started_at", "completed_at"] as const;

/**
 * What a batch run reports about itself, in the columns of generation_runs: one shape for telemetry, the HTTP API and imports. What was not reported is absent.
 * Times are ISO 8601 or PostgreSQL's text.
 */
export type RunReport = RunSummary & {
  readonly [K in "kind" | "environment" | "triggered_by" | "service_name" | (typeof RUN_TIMES)[number]]?: string;
} & { readonly status?: RunStatus; readonly exit_code?: number; readonly duration_seconds?: number };

/** Every column that a report may fill. */
export const RUN_REPORT_COLUMNS = [
  ...RUN_TIMES,
  "duration_seconds",
  "status",
  "exit_code",
  ...RUN_COUNTS,
  ...RUN_MEASURES,
  ...RUN_TEXTS,
  ...RUN_BREAKDOWNS,
] as const satisfies readonly (keyof RunReport)[];

const READERS: ReadonlyMap<string, (value: unknown) => unknown> = new Map<string, (value: unknown) => unknown>([
  ...RUN_COUNTS.map((name) => [name, wholeNumber] as const),
  ...[...RUN_MEASURES, "duration_seconds"].map((name) => [name, measure] as const),
  ...RUN_TEXTS.map((name) => [name, filledText] as const),
  ...RUN_BREAKDOWNS.map((name) => [name, breakdown] as const),
  ...RUN_TIMES.map((name) => [name, timeText] as const),
  ["exit_code", exitCode],
  ["status", (value) => RUN_STATUSES.find((status) => status === value)],
]);

/** `questions_requested`, as the first application called it, is the column `items_requested`. */
export const columnOfReportKey = (key: string): string => (key.startsWith("questions_") ? `items_${key.slice("questions_".length)}` : key);

/**
 * Reads a report leniently: column names under either name, at the top or grouped in sections (`{"generation": {"questions_generated": 48}}`), where names
 * may be short (`{"generation": {"generated": 48}}`). Values of the wrong type are left out: a run that says one thing wrongly still says the rest.
 */
export function readRunReport(value: unknown): RunReport {
  const found: Record<string, unknown> = {};
  if (!isObject(value)) return found;
  for (const [name, told] of [...Object.entries(value), ...sectionEntries(value)]) {
    const column = columnOfReportKey(name);
    const taken = found[column] === undefined ? READERS.get(column)?.(told) : undefined;
    if (taken !== undefined) found[column] = taken;
  }
  return found;
}

/** Fills in the rates and the duration that follow from the rest, and the status of a run that has ended (`end`) without saying how. */
export function completeReport(report: RunReport, end?: { readonly failed: boolean }): RunReport & { readonly status: RunStatus } {
  const figures = completeSummary(report);
  const open = report.status === undefined || report.status === "running";
  const status = open && end !== undefined ? endedStatus(figures, report.exit_code, end.failed) : (report.status ?? "running");
  const seconds = report.duration_seconds ?? secondsBetween(report.started_at, report.completed_at);
  // How much of the whole came out can be said only when it is over.
  const { overall_success_rate: overall, ...running } = figures;
  const known = status === "running" && report.overall_success_rate === undefined ? running : { ...running, ...present({ overall }) };
  return { ...report, ...known, status, ...(seconds === undefined ? {} : { duration_seconds: seconds }) };
}

/** A job that was broken off and gives no exit code failed, whatever its counts say. */
function endedStatus(figures: RunSummary, exitCode: number | undefined, failed: boolean): RunStatus {
  if (!failed || exitCode !== undefined) return statusOf(figures, exitCode);
  return (figures.items_inserted ?? figures.items_generated ?? 0) > 0 ? "partial_failure" : "failed";
}

const present = ({ overall }: { readonly overall: number | undefined }): RunSummary =>
  overall === undefined ? {} : { overall_success_rate: overall };

function secondsBetween(start: string | undefined, end: string | undefined): number | undefined {
  const seconds = (Date.parse(end ?? "") - Date.parse(start ?? "")) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** No score and no duration in seconds is larger; sums and squares of such numbers stay finite. */
export const MAX_MEASURE = 1e15;

function measure(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Math.abs(number) <= MAX_MEASURE ? number : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** The column is a 32-bit integer; Windows has exit codes of 32 bits without a sign. */
function exitCode(value: unknown): number | undefined {
  const number = wholeNumber(value);
  return number !== undefined && number >= -(2 ** 31) && number < 2 ** 32 ? number | 0 : undefined;
}

function filledText(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text !== "" ? text : undefined;
}

function breakdown(value: unknown): object | undefined {
  if (isObject(value)) return value;
  if (typeof value !== "string" || !value.startsWith("{")) return undefined;
  try {
    return breakdown(JSON.parse(value));
  } catch {
    return undefined;
  }
}

/** ISO 8601 in UTC, for the years that every database and language writes with four digits. */
function timeText(value: unknown): string | undefined {
  const millis = typeof value === "string" ? Date.parse(value) : Number.NaN;
  const year = new Date(millis).getUTCFullYear();
  return year >= 1 && year <= 9999 ? new Date(millis).toISOString() : undefined;
}

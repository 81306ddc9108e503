import { isObject } from "../../base/json-values.ts";
import { completeReport, RUN_COUNTS, RUN_MEASURES, type RunReport, readRunReport } from "../../model/run-report.ts";
import { uuidOf } from "./row-ids.ts";
import type { ImportRow, JsonObject } from "./shapes.ts";

/** A summary of a batch run: its columns at the top or in sections, `questions_*` or `items_*`. */
export function isRunSummary(value: JsonObject): boolean {
  const report = readRunReport(value);
  return report.started_at !== undefined && report.items_requested !== undefined;
}

const KEPT = new Set(["id", "run_id", "trace_id", "span_id", "created_at"]);

/** Sections in which a run may tell its id. */
const IDENTITIES = ["metadata", "identity", "run"];

/** The row of generation_runs. A run that ended without a status is judged by its exit code. */
export function runOf(value: JsonObject): ImportRow {
  const report = readRunReport(value);
  const ended = report.completed_at !== undefined || report.exit_code !== undefined;
  const named = Object.assign({}, ...IDENTITIES.map((section) => value[section]).filter(isObject), value) as JsonObject;
  const id = uuidOf("run", named["id"] ?? named["run_id"], report.started_at, report.environment);
  const own = Object.fromEntries(Object.entries(named).filter(([key, each]) => KEPT.has(key) && each != null));
  const columns = completeReport(report, ended ? { failed: false } : undefined);
  const values = { kind: "questions", ...columns, run_id: id, created_at: report.started_at, ...own, id };
  return { noun: "runs", values, ignored: ignoredNames(value) };
}

/** Why a summary is refused, as the API refuses a report of the same figures; undefined for one that can be stored. */
export function runFault(value: JsonObject): string | undefined {
  const report = readRunReport(value);
  const figures = report as Readonly<Record<string, unknown>>;
  const negative = [...RUN_COUNTS, "duration_seconds"].find((name) => Number(figures[name] ?? 0) < 0);
  if (negative !== undefined) return `${negative} is below 0`;
  const rate = RUN_MEASURES.find((name) => name.endsWith("_rate") && !isShare(figures[name] ?? 0));
  if (rate !== undefined) return `${rate} is no rate from 0 to 1`;
  return endsBeforeStart(report) ? "completed_at lies before started_at" : undefined;
}

const isShare = (value: unknown): boolean => Number(value) >= 0 && Number(value) <= 1;

const endsBeforeStart = ({ started_at: start, completed_at: end }: RunReport): boolean =>
  start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start);

const isEmpty = (value: unknown): boolean => value == null || (Array.isArray(value) && value.length === 0);
const isUsed = (report: JsonObject): boolean => Object.keys(readRunReport(report)).length > 0;

/** Names that say something which no column takes: at the top, or in a section of which something is taken (`generation.colour`). */
function ignoredNames(value: JsonObject): string[] {
  return Object.entries(value).flatMap(([name, told]) => {
    const isIdentity = IDENTITIES.includes(name);
    if (isEmpty(told) || KEPT.has(name) || (isIdentity && isObject(told) && Object.keys(told).every((key) => KEPT.has(key)))) return [];
    if (!isUsed({ [name]: told }) && !isIdentity) return [name];
    if (!isObject(told)) return [];
    const within = Object.entries(told).filter(([key, each]) => !isEmpty(each) && !isUsed({ [name]: { [key]: each } }));
    return within.filter(([key]) => !isIdentity || !KEPT.has(key)).map(([key]) => `${name}.${key}`);
  });
}

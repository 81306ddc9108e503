import { isObject } from "../../base/json-values.ts";
import { completeReport, readRunReport } from "../../model/run-report.ts";
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
  return { noun: "runs", values: { kind: "questions", ...columns, run_id: id, created_at: report.started_at, ...own, id } };
}

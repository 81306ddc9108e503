import { randomUUID } from "node:crypto";
import type { TransactionSql } from "postgres";
import { RequestError } from "../base/request-error.ts";
import { isUuid } from "../base/uuid.ts";
import { completeReport, RUN_BREAKDOWNS, RUN_REPORT_COLUMNS, RUN_TIMES, type RunReport, type RunStatus } from "../model/run-report.ts";
import { audit } from "./audit.ts";
import type { Writer } from "./writer.ts";

export interface RunSubmission {
  readonly projectId: number;
  /** A uuid; without one the run gets one. */
  readonly id?: string;
  readonly report: RunReport & { readonly status: RunStatus };
}

export interface SubmittedRun {
  readonly id: string;
  readonly status: RunStatus;
  /** False when a run of this id was there before. */
  readonly created: boolean;
}

/**
 * Stores what a run reports about itself by HTTP: its beginning, its progress or its end. Sending the same again changes nothing; a later report overrides what
 * it names and keeps the rest; a run that has ended does not run again. Throws RequestError where a new run lacks its start or the number of items it
 * was asked for.
 */
export async function submitRun(writer: Writer, { projectId, id = randomUUID(), report }: RunSubmission): Promise<SubmittedRun> {
  const key = id.toLowerCase();
  return writer.sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`run/${projectId}/${key}`}, 0))`;
    const [stored] = await tx`
      SELECT * FROM ${tx(writer.schema)}.generation_runs WHERE project_id = ${projectId} AND id = ${key} FOR UPDATE`;
    if (stored !== undefined && stored["status"] !== "running" && report.status === "running") {
      return { id: key, status: stored["status"] as RunStatus, created: false };
    }
    const whole = completed({ ...reportOf(stored), ...report });
    if (stored === undefined) requireBeginning(whole);
    const row = { ...columnsOf(tx, whole), closed_by: whole.status === "running" ? null : "report", updated_at: new Date() };
    if (stored !== undefined) {
      await tx`UPDATE ${tx(writer.schema)}.generation_runs SET ${tx(row)} WHERE project_id = ${projectId} AND id = ${key}`;
    } else {
      await tx`INSERT INTO ${tx(writer.schema)}.generation_runs
        ${tx({ project_id: projectId, id: key, run_id: key, created_at: row.updated_at, ...row })}`;
    }
    return { id: key, status: whole.status, created: stored === undefined };
  });
}

/** An ended run has a time of its end: what it says, else its start and duration, else now. */
function completed(report: RunReport & { readonly status: RunStatus }): RunReport & { readonly status: RunStatus } {
  if (report.status === "running") return completeReport(report);
  const byDuration =
    report.started_at === undefined || report.duration_seconds === undefined
      ? new Date()
      : new Date(Date.parse(report.started_at) + report.duration_seconds * 1000);
  const completed_at = report.completed_at ?? byDuration.toISOString();
  if (Date.parse(completed_at) < Date.parse(report.started_at ?? completed_at)) {
    throw new RequestError("bad_request", "completed_at: lies before started_at", ["completed_at: lies before started_at"]);
  }
  return completeReport({ ...report, completed_at });
}

function requireBeginning(report: RunReport): void {
  const missing = [
    ...(report.started_at === undefined ? ["started_at: is required for a new run"] : []),
    ...(report.items_requested === undefined ? ["questions_requested: is required for a new run"] : []),
  ];
  if (missing.length > 0) throw new RequestError("bad_request", missing.join("; "), missing);
}

/** What was reported before; rates that were computed are computed anew, and an end that the run did not tell of itself is none. */
function reportOf(stored: Readonly<Record<string, unknown>> | undefined): RunReport {
  if (stored === undefined) return {};
  const known: Record<string, unknown> = {};
  for (const column of RUN_REPORT_COLUMNS) {
    const value: unknown = stored[column];
    if (value === null || COMPUTED.has(column) || (column === "completed_at" && stored["closed_by"] === "operator")) continue;
    if (value instanceof Date) known[column] = value.toISOString();
    else known[column] = typeof value === "string" && NUMERIC.has(column) ? Number(value) : value;
  }
  return known;
}

const COMPUTED: ReadonlySet<string> = new Set([
  "generation_success_rate",
  "approval_rate",
  "duplicate_rate",
  "overall_success_rate",
  "duration_seconds",
]);
const NUMERIC: ReadonlySet<string> = new Set(RUN_REPORT_COLUMNS.filter((column) => /^items_|_failures$|duplicates|^total_/.test(column)));
const TIMES: ReadonlySet<string> = new Set(RUN_TIMES);
const BREAKDOWNS: ReadonlySet<string> = new Set(RUN_BREAKDOWNS);

function columnsOf(tx: TransactionSql, report: RunReport): Record<string, never> {
  const columns: Record<string, unknown> = {};
  for (const column of RUN_REPORT_COLUMNS) {
    const value: unknown = report[column];
    if (value === undefined) continue;
    if (TIMES.has(column)) columns[column] = new Date(String(value));
    else columns[column] = BREAKDOWNS.has(column) ? tx.json(value as never) : value;
  }
  return columns as Record<string, never>;
}

export interface RunClosing {
  readonly projectId: number;
  readonly actor: string;
  /** The run's uuid or its application's id. */
  readonly id: string;
  readonly reason?: string;
}

/** Marks a run failed that never ended. Should its report come after all, that replaces the mark. Throws `conflict` for a run that has ended. */
export async function markRunFailed({ sql, schema }: Writer, closing: RunClosing): Promise<SubmittedRun> {
  const { projectId, actor, id, reason } = closing;
  return sql.begin(async (tx) => {
    const uuid = isUuid(id) ? id : null;
    const [run] = await tx<{ id: string; status: RunStatus }[]>`
      SELECT id, status FROM ${tx(schema)}.generation_runs WHERE project_id = ${projectId} AND (id = ${uuid}::uuid OR run_id = ${id}) FOR UPDATE`;
    if (run === undefined) throw new RequestError("not_found", "there is no such run");
    if (run.status !== "running") throw new RequestError("conflict", `this run does not run any more: it is ${run.status}`);
    const now = new Date();
    await tx`UPDATE ${tx(schema)}.generation_runs SET status = 'failed', completed_at = ${now}, closed_by = 'operator', updated_at = ${now},
      duration_seconds = extract(epoch FROM ${now}::timestamptz - started_at) WHERE project_id = ${projectId} AND id = ${run.id}`;
    await audit(tx, schema, {
      projectId,
      actor,
      action: "run.mark-failed",
      subject: run.id,
      details: reason === undefined ? {} : { reason },
    });
    return { id: run.id, status: "failed", created: false };
  });
}

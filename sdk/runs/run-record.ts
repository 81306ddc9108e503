import { type RunStatus, type RunSummary, toQuestionNames } from "./run-summary.ts";

/** One run at one moment: what its records say, whichever way they leave. */
export interface RunRecord {
  /** A uuid. */
  readonly id: string;
  /** What kind of job. */
  readonly kind: string | undefined;
  readonly startedAtMillis: number;
  /** Undefined while it runs. */
  readonly completedAtMillis: number | undefined;
  readonly status: RunStatus;
  readonly exitCode: number | undefined;
  readonly triggeredBy: string | undefined;
  readonly environment: string | undefined;
  readonly summary: RunSummary;
}

/** What became of a report. */
export interface ReportOutcome {
  /**
   * accepted: the collector has it. sent: it has left with the telemetry. queued: it will leave with the telemetry. failed: it was given up, with
   * the reason. off: reporting, or all telemetry, is switched off.
   */
  readonly status: "accepted" | "sent" | "queued" | "failed" | "off";
  /** The run's id. */
  readonly runId: string;
  readonly reason?: string;
}

/** A way by which the records of one run leave. No method throws or rejects. */
export interface RunChannel {
  /** The run has begun. */
  started(run: RunRecord): void;
  /** How far it is. */
  progress(run: RunRecord): void;
  /** It is over. */
  finished(run: RunRecord): Promise<ReportOutcome>;
  /** Runs `work` so that what is generated in it belongs to the run. */
  within<R>(work: () => R): R;
}

const isoTime = (millis: number): string => new Date(millis).toISOString();

/** The body of POST /v1/admin/generation-runs, in its own field names. */
export function runPayload(run: RunRecord): Record<string, unknown> {
  const ended = run.completedAtMillis;
  return {
    id: run.id,
    kind: run.kind,
    started_at: isoTime(run.startedAtMillis),
    completed_at: ended === undefined ? undefined : isoTime(ended),
    duration_seconds: ended === undefined ? undefined : (ended - run.startedAtMillis) / 1000,
    status: run.status,
    exit_code: run.exitCode,
    ...toQuestionNames(run.summary),
    environment: run.environment,
    triggered_by: run.triggeredBy,
  };
}

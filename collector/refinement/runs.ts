import * as A from "../../sdk/attributes.ts";
import { numberOf, parseJson, stringOf } from "../dialects/json.ts";
import { completeReport, type RunReport, type RunStatus, readRunReport } from "../model/run-report.ts";
import { runIdOf, runSpanOf } from "./belonging.ts";
import type { ChildSpan } from "./facts.ts";
import { recordUuid } from "./record-id.ts";

/** One row of generation_runs as the records of one span tell it. */
export interface RunRow {
  readonly id: string;
  readonly runId: string;
  readonly spanId: string;
  /** With `started_at` and `status`. Times are PostgreSQL's text, or ISO 8601 where the summary gave them. */
  readonly report: RunReport & { readonly started_at: string; readonly status: RunStatus };
}

/**
 * The runs of one trace. What a run announced is overridden by its updates, the latest winning value by value, these by its final record, and that by updates
 * made after its end; a finished run never runs again.
 */
export function runRows(traceId: string, children: readonly ChildSpan[]): RunRow[] {
  const records = Map.groupBy(
    children.filter((span) => runSpanOf(span) !== undefined),
    (span) => runSpanOf(span)!,
  );
  return [...records].map(([spanId, spans]) => rowOf(traceId, spanId, spans.toSorted(byRank)));
}

/** Announcements, then updates, then the end; each by its time. */
const RANK: ReadonlyMap<unknown, number> = new Map([
  ["pending", 0],
  ["update", 1],
  ["run", 2],
]);

function rankOf({ attributes }: ChildSpan): number {
  return RANK.get(attributes[A.GENSPAN_RECORD]) ?? 0;
}

const byTime = (a: ChildSpan, b: ChildSpan): number =>
  a.startMillis - b.startMillis || (a.startTime === b.startTime ? (a.spanId < b.spanId ? -1 : 1) : a.startTime < b.startTime ? -1 : 1);
const byRank = (a: ChildSpan, b: ChildSpan): number => rankOf(a) - rankOf(b) || byTime(a, b);

function rowOf(traceId: string, spanId: string, records: readonly ChildSpan[]): RunRow {
  const end = records.findLast((span) => rankOf(span) === 2);
  const endMillis = end === undefined ? Number.POSITIVE_INFINITY : end.startMillis + (end.durationMillis ?? 0);
  const late = records.filter((span) => rankOf(span) === 1 && span.startMillis > endMillis);
  const ordered = [...records.filter((span) => !late.includes(span)), ...late];
  const told: RunReport = Object.assign({}, ...ordered.map(reportOf));
  const started_at = told.started_at ?? (end ?? records.toSorted(byTime)[0]!).startTime;
  const { completed_at, ...rest } = told;
  const ended = end !== undefined || (told.status !== undefined && told.status !== "running");
  const times = ended ? { started_at, completed_at: completed_at ?? end?.endTime ?? ordered.at(-1)!.startTime } : { started_at };
  const report = completeReport({ ...exactDuration(told, end), ...rest, ...times }, ended ? { failed: end?.failed === true } : undefined);
  const runId = runIdOf(records.find((span) => stringOf(span.attributes[A.GENSPAN_RUN_ID]) !== undefined) ?? records[0]!, traceId);
  return {
    id: recordUuid(runId, `run/${runId}`),
    runId,
    spanId,
    report: { ...report, started_at },
  };
}

/** The duration of the final span is exact to the nanosecond; where the summary has times of its own, theirs holds. */
const exactDuration = (told: RunReport, end: ChildSpan | undefined): RunReport =>
  end?.durationMillis === undefined || told.started_at !== undefined || told.completed_at !== undefined
    ? {}
    : { duration_seconds: end.durationMillis / 1000 };

function reportOf(span: ChildSpan): RunReport {
  const { attributes } = span;
  const summary = attributes[A.GENSPAN_RUN_SUMMARY];
  const whole = (name: string): number | undefined => {
    const value = numberOf(attributes[name]);
    return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
  };
  return {
    ...defined({ environment: span.environment, service_name: span.service }),
    ...readRunReport(typeof summary === "string" ? parseJson(summary) : summary),
    ...readRunReport({ status: attributes[A.GENSPAN_RUN_STATUS] }),
    ...defined({
      kind: stringOf(attributes[A.GENSPAN_RUN_KIND]),
      exit_code: whole(A.GENSPAN_RUN_EXIT_CODE),
      items_requested: whole(A.GENSPAN_RUN_REQUESTED),
      triggered_by: stringOf(attributes[A.GENSPAN_RUN_TRIGGERED_BY]),
      prompt_version: stringOf(attributes[A.GEN_AI_PROMPT_VERSION]),
    }),
  };
}

const defined = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };

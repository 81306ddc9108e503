import { completeSummary, fromQuestionNames, RUN_FIELDS, type RunSummary } from "./run-summary.ts";

type Renamed<K extends string> = K extends `items_${infer Rest}` ? `questions_${Rest}` : never;

/** A summary as an application counts it itself: under the general names or under those of questions. */
export type ReportedSummary = RunSummary & { readonly [K in keyof RunSummary as Renamed<K & string>]?: RunSummary[K] } & {
  /** A uuid; the same one again reports the same run. */
  readonly id?: string;
  /** ISO 8601. */
  readonly started_at?: string;
  /** ISO 8601. */
  readonly completed_at?: string;
  readonly duration_seconds?: number;
};

/** A summary in its parts. */
export interface ReadSummary {
  readonly id: string | undefined;
  readonly figures: RunSummary;
  readonly times: { readonly startedAtMillis: number; readonly completedAtMillis: number };
}

/** Reads a summary: its figures with what follows from them, and when the run was, of which two times give the third and the end is now by default. */
export function readSummary(summary: ReportedSummary): ReadSummary {
  const named = fromQuestionNames(summary);
  const figures = Object.fromEntries(RUN_FIELDS.map((field) => [field, named[field]])) as RunSummary;
  const started = millisOf(summary.started_at);
  const completed = millisOf(summary.completed_at);
  const duration = typeof summary.duration_seconds === "number" ? summary.duration_seconds * 1000 : undefined;
  const completedAtMillis = completed ?? (started === undefined || duration === undefined ? Date.now() : started + duration);
  return {
    id: typeof summary.id === "string" ? summary.id : undefined,
    figures: completeSummary(figures),
    times: { completedAtMillis, startedAtMillis: started ?? completedAtMillis - (duration ?? 0) },
  };
}

function millisOf(time: string | undefined): number | undefined {
  const millis = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isFinite(millis) ? millis : undefined;
}

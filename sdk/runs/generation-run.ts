import { current } from "../core/current.ts";
import type { ReportOutcome, RunChannel, RunRecord } from "./run-record.ts";
import { type RunStatus, type RunSummary, statusOf } from "./run-summary.ts";
import type { RunTally } from "./run-tally.ts";

/** How a run ended. */
export interface RunEnd {
  /** 0 everything, 1 a part, 2 to 6 nothing. */
  readonly exitCode?: number;
  /** Default: by the exit code, else by how many of the requested items were stored. */
  readonly status?: Exclude<RunStatus, "running">;
}

/**
 * One batch run that is counted live. No method throws; after `finish` they do nothing. Leaving the scope of an `await using` declaration without `finish` breaks the
 * run off: it has failed, in part where something was stored.
 */
export interface GenerationRun extends RunTally, AsyncDisposable {
  /** The run's id, a uuid. */
  readonly id: string;
  /** Runs `work` so that generations, items and images made in it belong to the run. */
  within<R>(work: () => R): R;
  /** Tells now how far the run is, at most once a second. */
  checkpoint(): void;
  /** Ends the run. The first call wins; it never rejects, and resolves when the report has left or was given up, after five seconds at most where it leaves with the telemetry. */
  finish(end?: RunEnd): Promise<ReportOutcome>;
}

/** What a run is made of. `first` is the run as it begins; `checkpointMillis` is 10,000 unless told, and 0 for no progress by itself. */
export interface GenerationRunParts {
  readonly first: RunRecord;
  readonly channel: RunChannel;
  readonly tally: RunTally;
  readonly checkpointMillis?: number | undefined;
}

const CHECKPOINT_MS = 10_000;
const CHECKPOINT_GAP_MS = 1_000;

/** Counts into `tally` and tells of it by `channel`. */
export function createGenerationRun({ first, channel, tally, checkpointMillis = CHECKPOINT_MS }: GenerationRunParts): GenerationRun {
  let timer: NodeJS.Timeout | undefined;
  let toldAt: number | undefined;
  let outcome: Promise<ReportOutcome> | undefined;

  const summary = (): RunSummary => ({ ...first.summary, ...tally.summary() });

  function tell(): void {
    clearTimeout(timer);
    timer = undefined;
    toldAt = performance.now();
    channel.progress({ ...first, summary: soFar(summary()) });
  }

  /** What is counted while it waits goes with it. */
  function tellAfter(waitMillis: number): void {
    clearTimeout(timer);
    if (waitMillis > 0) timer = setTimeout(() => guarded("checkpoint", tell), waitMillis).unref();
    else tell();
  }

  const untilNext = (): number => (toldAt === undefined ? 0 : toldAt + CHECKPOINT_GAP_MS - performance.now());

  function counted<Args extends readonly unknown[]>(step: string, count: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      if (outcome !== undefined) return;
      guarded(step, () => {
        count(...args);
        if (checkpointMillis > 0 && timer === undefined) tellAfter(Math.max(checkpointMillis, untilNext()));
      });
    };
  }

  async function finish({ exitCode, status }: RunEnd = {}): Promise<ReportOutcome> {
    clearTimeout(timer);
    const figures = summary();
    const ended = { status: status ?? statusOf(figures, exitCode), exitCode, completedAtMillis: Date.now() };
    return channel.finished({ ...first, ...ended, summary: figures });
  }

  return {
    id: first.id,
    within: channel.within,
    generated: counted("generated", tally.generated),
    generationFailed: counted("generationFailed", tally.generationFailed),
    evaluated: counted("evaluated", tally.evaluated),
    duplicate: counted("duplicate", tally.duplicate),
    inserted: counted("inserted", tally.inserted),
    insertionFailed: counted("insertionFailed", tally.insertionFailed),
    apiCall: counted("apiCall", tally.apiCall),
    error: counted("error", tally.error),
    summary,
    checkpoint() {
      if (outcome === undefined) guarded("checkpoint", () => tellAfter(untilNext()));
    },
    finish(end) {
      outcome ??= finish(end).catch(() => failedOf(first));
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      await this.finish({ status: brokenOff(summary()) });
    },
  };
}

/** Of a run that is not over, its overall success is not known yet. */
function soFar({ overall_success_rate: _unknown, ...rest }: RunSummary): RunSummary {
  return rest;
}

const brokenOff = ({ items_inserted = 0 }: RunSummary): "partial_failure" | "failed" => (items_inserted > 0 ? "partial_failure" : "failed");

const guarded = (step: string, work: () => void): void => current().recorder.problems.guard(step, work, undefined);

const failedOf = ({ id }: RunRecord): ReportOutcome => ({ status: "failed", runId: id, reason: "the run could not be summed up" });

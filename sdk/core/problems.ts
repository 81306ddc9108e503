import { diag } from "@opentelemetry/api";
import type { ProblemKind, TracingProblem } from "./options.ts";

/** Tells of problems inside the SDK, at most once a second for each kind, and keeps the last one. */
export interface Problems {
  report(kind: ProblemKind, message: string, count?: number): void;
  /** The message of the last problem. */
  last(): string | undefined;
  /**
   * Runs a step of the SDK's own. Whatever it throws is reported and `fallback` returned, so that no fault of the SDK, and no getter of the
   * application's objects, ever reaches the application.
   */
  guard<T>(step: string, work: () => T, fallback: T): T;
  /** What `guard` does with what was thrown, for steps that every generation takes. */
  failed(step: string, error: unknown): void;
}

const QUIET_MS = 1_000;

interface Told {
  atMillis: number;
  withheld: number;
}

/** `tell` is the application's; by default OpenTelemetry's diagnostic logger is told. */
export function createProblems(tell: ((problem: TracingProblem) => void) | undefined): Problems {
  const told = new Map<ProblemKind, Told>();
  let last: string | undefined;

  function report(kind: ProblemKind, message: string, count = 1): void {
    last = message;
    const now = performance.now();
    const before = told.get(kind);
    if (before !== undefined && now - before.atMillis < QUIET_MS) {
      before.withheld += count;
      return;
    }
    const problem = { kind, message, count: count + (before?.withheld ?? 0) };
    told.set(kind, { atMillis: now, withheld: 0 });
    try {
      if (typeof tell !== "function") diag.warn(`genspan: ${message}`, `${kind} x ${problem.count}`);
      else Promise.resolve(tell(problem) as unknown).catch(() => {});
    } catch {
      // An application's own callback that throws has been told; nothing is left to do.
    }
  }

  const failed = (step: string, error: unknown): void => report("internal-error", `${step} failed: ${nameOf(error)}`);

  return {
    report,
    last: () => last,
    failed,
    guard(step, work, fallback) {
      try {
        return work();
      } catch (error) {
        failed(step, error);
        return fallback;
      }
    },
  };
}

/** The class of an error: its message may hold content. */
export function nameOf(error: unknown): string {
  try {
    return error instanceof Error ? error.name : typeof error;
  } catch {
    return "unknown";
  }
}

/** How many tests passed, failed and were skipped. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_TESTS: Totals = { passed: 0, failed: 0, skipped: 0 };

export const addTotals = (a: Totals, b: Totals): Totals => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** A step such as lint that has one result of its own counts as one test. */
export const totalsOfStep = (exitCode: number): Totals => ({ ...NO_TESTS, passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1 });

/** What Vitest's JSON report says of one test file. */
interface FileReport {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const isReport = (value: unknown): value is { readonly testResults: readonly FileReport[] } =>
  typeof value === "object" && value !== null && Array.isArray((value as { testResults?: unknown }).testResults);

function totalsOfFile(file: FileReport): Totals {
  const count = (...statuses: string[]): number => file.assertionResults.filter((result) => statuses.includes(result.status)).length;
  const failed = count("failed");
  // A file that does not load, or whose hooks fail, has no failed test to show for it.
  const brokenFile = file.status === "failed" && failed === 0 ? 1 : 0;
  return { passed: count("passed"), failed: failed + brokenFile, skipped: count("pending", "skipped", "todo", "disabled") };
}

/**
 * Totals of a Vitest run from its JSON report (`undefined` when it wrote none) and its exit code.
 * A run that failed without a failed test (a crash, an unhandled error) counts as one failure, and so does a run without any test.
 */
export function totalsOfVitest(report: unknown, exitCode: number): Totals {
  const totals = isReport(report) ? report.testResults.map(totalsOfFile).reduce(addTotals, NO_TESTS) : NO_TESTS;
  const silentFailure = totals.failed === 0 && (exitCode !== 0 || totals.passed === 0);
  return silentFailure ? { ...totals, failed: 1 } : totals;
}

/** The line that a check ends with: `812 passed, 0 failed`, with `, 2 skipped` where some were. */
export const totalsLine = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

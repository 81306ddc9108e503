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

/** What Vitest's JSON report says of one test file; `name` is its path. */
export interface FileReport {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName?: string }[];
}

export interface Report {
  readonly testResults: readonly FileReport[];
}

export const isReport = (value: unknown): value is Report =>
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

/** So many files at most may owe their failure to a busy machine. */
const MAX_UNSTEADY_FILES = 5;

/** Paths of failed files that deserve a second run, alone: a few may have failed for want of time among the others. None where many fail. */
export function unsteadyFiles({ testResults }: Report): string[] {
  const failed = testResults.filter(({ status }) => status === "failed").map(({ name }) => name);
  return failed.length <= MAX_UNSTEADY_FILES ? failed : [];
}

export const withoutFiles = ({ testResults }: Report, names: readonly string[]): Report => ({
  testResults: testResults.filter(({ name }) => !names.includes(name)),
});

/** Full names of the failed tests in these files; the path where a file failed without one. */
export const failuresIn = ({ testResults }: Report, names: readonly string[]): string[] =>
  testResults
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName ?? name);
      return failed.length > 0 ? failed : [name];
    });

/** The line that a check ends with: `812 passed, 0 failed`, with `, 2 skipped` where some were. */
export const totalsLine = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

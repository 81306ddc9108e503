import { describe, expect, it } from "vitest";
import { failuresIn, NO_TESTS, totalsLine, totalsOfStep, totalsOfVitest, unsteadyFiles, withoutFiles } from "../../support/totals.ts";

const file = (status: string, ...tests: string[]) => ({
  name: "/x/test/db/some.test.ts",
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});
const report = (...testResults: ReturnType<typeof file>[]) => ({ testResults });

describe("the totals of a check", () => {
  it("adds up passed, failed and skipped tests over all files", () => {
    const files = report(file("passed", "passed", "passed", "skipped"), file("failed", "failed", "passed", "todo"));
    expect(totalsOfVitest(files, 1)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  it("counts a file that does not load as one failure", () => {
    expect(totalsOfVitest(report(file("passed", "passed"), file("failed")), 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it("fails when the run failed and no test did", () => {
    expect(totalsOfVitest(report(file("passed", "passed")), 1).failed).toBe(1);
  });

  it.each([
    ["no report", undefined],
    ["no test", report()],
    ["only skipped tests", report(file("passed", "skipped"))],
  ])("fails on %s", (_, value) => {
    expect(totalsOfVitest(value, 0).failed).toBe(1);
  });

  it("counts a step such as lint as one test", () => {
    expect(totalsOfStep(0)).toEqual({ ...NO_TESTS, passed: 1 });
    expect(totalsOfStep(2)).toEqual({ ...NO_TESTS, failed: 1 });
  });

  it("ends with the plain count and mentions skips only where there are some", () => {
    expect(totalsLine({ passed: 812, failed: 0, skipped: 0 })).toBe("812 passed, 0 failed");
    expect(totalsLine({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });
});

describe("a second run", () => {
  const named = (name: string, status: string, ...failed: string[]) => ({
    name,
    status,
    assertionResults: [{ status: "passed", fullName: "fine" }, ...failed.map((fullName) => ({ status: "failed", fullName }))],
  });
  const fine = named("/x/test/e2e/fine.test.ts", "passed");
  const late = named("/x/test/e2e/late.test.ts", "failed", "comes in time");
  const broken = named("/x/test/db/broken.test.ts", "failed");

  it("is for the few files that failed, and names what failed in them", () => {
    const files = report(fine, late, broken);
    expect(unsteadyFiles(files)).toEqual([late.name, broken.name]);
    expect(failuresIn(files, unsteadyFiles(files))).toEqual(["comes in time", broken.name]);
    expect(withoutFiles(files, unsteadyFiles(files))).toEqual(report(fine));
  });

  it("is not where none fails, nor where many files fail", () => {
    expect(unsteadyFiles(report(fine))).toEqual([]);
    expect(unsteadyFiles(report(...Array.from({ length: 6 }, () => late)))).toEqual([]);
  });
});

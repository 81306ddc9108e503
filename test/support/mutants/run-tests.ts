import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MutantTest } from "./mutant.ts";

/** What became of the tests whose names begin as asked; `missing` when none of them was run. */
export type Verdict = "passed" | "failed" | "missing";

/** A run that takes longer is ended; its tests count as missing. */
const TIME_LIMIT_MS = 300_000;

interface Assertion {
  readonly title: string;
  readonly status: string;
}

interface Report {
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly Assertion[] }[];
}

/** Runs the named tests, and no others, in the checkout `folder`; one verdict per test, in their order. */
export async function runTests(folder: string, tests: readonly MutantTest[]): Promise<Verdict[]> {
  const reportFile = join(folder, ".mutant-report.json");
  rmSync(reportFile, { force: true });
  const files = [...new Set(tests.map((test) => test.file))];
  const names = tests.map(({ name }) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const options = ["--no-file-parallelism", "--reporter=json", `--outputFile=${reportFile}`, "-t", names.join("|")];
  await runToEnd(folder, [join(folder, "node_modules/vitest/vitest.mjs"), "run", ...files, ...options]);
  const report = readReport(reportFile);
  return tests.map((test) => verdictOn(test, report));
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return { testResults: [] };
  }
}

/** One failure is enough: a test that runs on two servers has noticed when one of the two runs has. */
export function verdictOn({ file, name }: MutantTest, { testResults }: Report): Verdict {
  const asked = testResults.filter((each) => each.name.endsWith(`/${file}`)).flatMap((each) => each.assertionResults);
  const states = asked.filter(({ title }) => title.startsWith(name)).map(({ status }) => status);
  if (states.includes("failed")) return "failed";
  return states.includes("passed") ? "passed" : "missing";
}

function runToEnd(cwd: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: "ignore" });
    const timer = setTimeout(() => child.kill(), TIME_LIMIT_MS);
    child.on("error", reject);
    child.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

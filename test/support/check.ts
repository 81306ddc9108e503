// `npm test`: lint, types, then every test. All steps run whatever the others say; the last line is the plain count.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  addTotals,
  failuresIn,
  isReport,
  NO_TESTS,
  type Totals,
  totalsLine,
  totalsOfStep,
  totalsOfVitest,
  unsteadyFiles,
  withoutFiles,
} from "./totals.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a script of a package with this Node, output live, and resolves with its exit code. */
function run(script: string, ...args: string[]): Promise<number> {
  console.log(`\n> ${[script.split("/")[0], ...args].join(" ")}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "node_modules", script), ...args], { cwd: root, stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

interface TestRun {
  /** Vitest's JSON report; undefined where it wrote none. */
  readonly report: unknown;
  readonly exitCode: number;
}

/** Runs the tests that Vitest's own arguments select. */
async function runVitest(args: readonly string[]): Promise<TestRun> {
  const folder = await mkdtemp(join(tmpdir(), "genspan-check-"));
  const reportFile = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
    const exitCode = await run("vitest/vitest.mjs", "run", ...reporters, ...args);
    return { exitCode, report: await readFile(reportFile, "utf8").then(JSON.parse, () => undefined) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the tests of all projects, or those that `filters` select. A few files that failed among the others run once more, alone; they are named. */
async function runTests(filters: readonly string[]): Promise<Totals> {
  const { report, exitCode } = await runVitest(filters);
  const unsteady = isReport(report) ? unsteadyFiles(report) : [];
  if (!isReport(report) || unsteady.length === 0) return totalsOfVitest(report, exitCode);
  console.log(`\nonce more, alone, because they failed among the others:\n  ${failuresIn(report, unsteady).join("\n  ")}`);
  const again = await runVitest(["--no-file-parallelism", ...unsteady]);
  const others = withoutFiles(report, unsteady);
  const first = others.testResults.length === 0 ? NO_TESTS : totalsOfVitest(others, 0);
  return addTotals(first, totalsOfVitest(again.report, again.exitCode));
}

const lint = totalsOfStep(await run("@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."));
const types = totalsOfStep(await run("typescript/bin/tsc", "-b"));
const tests = await runTests(process.argv.slice(2));
const totals = [lint, types, tests].reduce(addTotals);

if (lint.failed > 0) console.log("\nlint failed: see above, or run npm run lint");
if (types.failed > 0) console.log("\ntypes failed: see above, or run npm run types");
console.log(`\n${totalsLine(totals)}`);
process.exitCode = totals.failed > 0 ? 1 : 0;

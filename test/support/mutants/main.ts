// `npm run test:mutants`: switches rules of the program off, one at a time, in a copy of this checkout, and shows that a test notices each.
// Arguments select rules by case id or by a part of the rule's sentence. Exits with 1 when a rule went missing unnoticed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyCheckout, linkPackages } from "../checkout-copy.ts";
import { MUTANTS } from "./catalogue.ts";
import { type Mutant, switchOff } from "./mutant.ts";
import { runTests, type Verdict } from "./run-tests.ts";

const wanted = process.argv.slice(2);
const selected = MUTANTS.filter(({ rule, caseId }) => wanted.length === 0 || wanted.some((each) => caseId === each || rule.includes(each)));

/** What the test says with the rule switched off, given what it says with the rule in force. */
function resultOf(sound: Verdict, mutated: Verdict): string {
  if (sound !== "passed") return `NO: the test ${sound === "failed" ? "fails" : "is missing"} as it is`;
  if (mutated === "passed") return "NO: the test still passes";
  return mutated === "failed" ? "yes" : "NO: the test did not run";
}

async function tryMutant(folder: string, mutant: Mutant): Promise<Verdict> {
  const path = join(folder, mutant.file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, switchOff(text, mutant));
  try {
    const [verdict = "missing"] = await runTests(folder, [mutant.test]);
    return verdict;
  } finally {
    writeFileSync(path, text);
  }
}

const parent = mkdtempSync(join(tmpdir(), "genspan-mutants-"));
const folder = join(parent, "checkout");
let unnoticed = 0;
try {
  copyCheckout(folder);
  linkPackages(folder);
  console.error(`running ${selected.length} tests with every rule in force`);
  const sound = await runTests(
    folder,
    selected.map(({ test }) => test),
  );
  console.log("| rule switched off | case | test | noticed |\n|---|---|---|---|");
  for (const [i, mutant] of selected.entries()) {
    const result = resultOf(sound[i] ?? "missing", await tryMutant(folder, mutant));
    if (result !== "yes") unnoticed++;
    console.log(`| ${mutant.rule} | ${mutant.caseId} | \`${mutant.test.file}\` | ${result} |`);
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
console.log(`\nof ${selected.length} rules switched off one at a time, tests noticed ${selected.length - unnoticed}`);
process.exitCode = unnoticed > 0 || selected.length === 0 ? 1 : 0;

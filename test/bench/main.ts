import { writeFileSync } from "node:fs";
import { SetupError } from "../../collector/base/setup-error.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { type Results, runDecode, runMeasures, runSdk } from "./measures.ts";
import { type Options, parseOptions } from "./options.ts";
import { ratioTable } from "./report.ts";
import { openStage } from "./stage.ts";

const say = (line: string): void => console.log(line);

async function run(options: Options): Promise<void> {
  const results: Results = { ratios: {}, details: {} };
  const loadBefore = loadNow();
  runDecode(options, results, say);
  await runSdk(options, results, say);
  const stage = await openStage(options.server);
  try {
    const machine = await describeMachine(stage.sql, loadBefore);
    for (const [name, value] of Object.entries(machine)) say(`${name.padEnd(18)}${value}`);
    await runMeasures(stage, options, results, say);
    say("");
    for (const line of ratioTable(results.ratios, stage.server.hasLz4)) say(line);
    if (options.json !== undefined) {
      const file = {
        ratios: results.ratios,
        quick: options.quick,
        server: stage.server.kind,
        machine,
        details: results.details,
      };
      writeFileSync(options.json, `${JSON.stringify(file, null, 2)}\n`);
    }
  } finally {
    await stage.close();
  }
}

try {
  const { DATABASE_URL } = process.env;
  const options = parseOptions(process.argv.slice(2));
  await run(options.server === "auto" && DATABASE_URL !== undefined ? { ...options, server: DATABASE_URL } : options);
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
}

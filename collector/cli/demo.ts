import type { Command } from "commander";
import { type CliInput, configOptions, embeddedPort, type Flags, positiveInteger, withConfig, withExamples } from "./options.ts";

const DEMO_ROWS = 5_000;
const DEMO_SEED = 7;

export function addDemo(program: Command, { actions, env }: CliInput): void {
  const command = withConfig(program.command("demo"))
    .description("run the collector with two weeks of made-up data and a live generator; leaves nothing behind")
    .option("--rows <n>", "about how many model calls of history", positiveInteger, DEMO_ROWS)
    .option("--seed <n>", "another number tells another story", positiveInteger, DEMO_SEED)
    .option("--no-live", "send the history and stop")
    .option("--open", "show the start page in the browser")
    .action((flags: Flags & { rows: number; seed: number; live: boolean; open?: true }) =>
      actions.demo({
        rows: flags.rows,
        seed: flags.seed,
        live: flags.live,
        ...(flags.open === undefined ? {} : { open: flags.open }),
        ...configOptions(flags),
        embeddedPort: embeddedPort(env),
      }),
    );
  withExamples(command, "genspan demo", "genspan demo --open", "genspan demo --rows 500 --no-live");
}

import type { Command } from "commander";
import { CommandError, EXIT } from "./exit-codes.ts";
import {
  type CliInput,
  databaseOptions,
  type Flags,
  positiveInteger,
  projectOf,
  withDatabase,
  withExamples,
  withOutput,
  withProject,
} from "./options.ts";
import { writeResult } from "./output.ts";

const DEFAULT_TIMEOUT_SECONDS = 30;

export function addSql(program: Command, { actions, env, terminal }: CliInput): void {
  const command = withOutput(withProject(withDatabase(program.command("sql"), env), "project to read"))
    .argument("<query>", "one query; it can only read")
    .description("run a query of your own, read-only")
    .option("--timeout <seconds>", "give up after", positiveInteger, DEFAULT_TIMEOUT_SECONDS)
    .action(async (query: string, flags: Flags & { project?: number; timeout: number }) => {
      if (/^[\s;]*$/.test(query)) throw new CommandError(EXIT.usage, "Give a query, such as 'select count(*) from generation_logs'.");
      const options = { ...databaseOptions(flags, env), projectId: projectOf(flags, env), timeoutMillis: flags.timeout * 1000 };
      await writeResult(await actions.sql(query, options), flags.output, terminal);
    });
  withExamples(
    command,
    "genspan sql 'select model_name, count(*) from generation_logs group by 1'",
    "genspan sql -o csv 'select * from failed_generations'",
  );
}

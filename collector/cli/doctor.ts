import type { Command } from "commander";
import { CommandError, EXIT, type ExitCode } from "./exit-codes.ts";
import { type CliInput, type Flags, serveOptions, withConfig, withDatabase, withExamples } from "./options.ts";

export function addDoctor(program: Command, { actions, env, terminal }: CliInput): void {
  const command = withConfig(withDatabase(program.command("doctor"), env))
    .description("check configuration, addresses, database, clock and disk; then send a span and read it back")
    .option("--endpoint <url>", "base URL of OTLP/HTTP, by default from the configuration")
    .option("--key <key>", "key with scope ingest")
    .action(async (flags: Flags & { endpoint?: string; key?: string }) => {
      let worst: ExitCode = EXIT.ok;
      for await (const check of actions.doctor({ ...serveOptions(flags, env), endpoint: flags.endpoint, key: flags.key })) {
        const mark = check.ok ? terminal.style("green", "ok  ") : terminal.style("red", "FAIL");
        await terminal.write(`${mark} ${check.name}: ${check.detail}\n`);
        // The first failure is most often the cause of the others.
        if (!check.ok && worst === EXIT.ok) worst = check.exitCode ?? EXIT.failure;
      }
      if (worst !== EXIT.ok) throw new CommandError(worst, "Something is wrong: each line marked FAIL says what to do.");
    });
  withExamples(command, "genspan doctor", "genspan doctor --endpoint http://127.0.0.1:4318");
}

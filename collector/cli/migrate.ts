import type { Command } from "commander";
import { type CliInput, databaseOptions, type Flags, withDatabase, withExamples } from "./options.ts";

export function addMigrate(program: Command, { actions, env, terminal }: CliInput): void {
  const command = withDatabase(program.command("migrate"), env)
    .description("bring a database to this version's schema (serve does it by itself)")
    .action(async (flags: Flags) => {
      const { applied, version } = await actions.migrate(databaseOptions(flags, env));
      terminal.note(
        applied.length === 0 ? `Schema version ${version} is up to date.` : `Applied ${applied.join(", ")}; schema version ${version}.`,
      );
    });
  withExamples(command, "genspan migrate", "genspan migrate --database-url postgres://me@db/telemetry");
}

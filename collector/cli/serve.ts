import type { Command } from "commander";
import { type CliInput, type Flags, serveOptions, withConfig, withDatabase, withExamples } from "./options.ts";

export function addServe(program: Command, { actions, env }: CliInput): void {
  const command = withConfig(withDatabase(program.command("serve"), env))
    .description("run the collector and its web pages until Ctrl+C")
    .option("--open", "show the start page in the browser")
    .action(({ open, ...flags }: Flags & { readonly open?: true }) =>
      actions.serve({ ...serveOptions(flags, env), ...(open === undefined ? {} : { open }) }),
    );
  withExamples(
    command,
    "genspan serve",
    "genspan serve --open",
    "genspan serve --config otel-config.yaml",
    "DATABASE_URL=postgres://me@db/telemetry genspan serve",
  );
}

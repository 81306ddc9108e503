import type { Command } from "commander";
import { type CliInput, configOptions, type Flags, withConfig, withExamples } from "./options.ts";

export function addValidate(program: Command, { actions, terminal }: CliInput): void {
  const command = withConfig(program.command("validate"))
    .description("check configuration files without starting")
    .action(async (flags: Flags) => {
      for (const warning of await actions.validate(configOptions(flags))) terminal.note(`Warning: ${warning}`);
      terminal.note("The configuration is valid.");
    });
  withExamples(command, "genspan validate --config otel-config.yaml", "genspan validate --config base.yaml --config site.yaml");
}

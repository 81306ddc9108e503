import type { Command } from "commander";
import { type CliInput, type Flags, withConfig, withExamples } from "./options.ts";

export function addValidate(program: Command, { actions, terminal }: CliInput): void {
  const command = withConfig(program.command("validate"))
    .description("check configuration files without starting")
    .action(async (flags: Flags) => {
      await actions.validate(flags.config);
      terminal.note("The configuration is valid.");
    });
  withExamples(command, "genspan validate --config otel-config.yaml", "genspan validate --config base.yaml --config site.yaml");
}

import type { Command } from "commander";
import { type CliInput, configOptions, type Flags, withConfig, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";

export function addMap(program: Command, { actions, terminal }: CliInput): void {
  const command = withConfig(withOutput(program.command("map")))
    .description("show how a recorded body is understood, attribute by attribute")
    .requiredOption("--explain <file>", "body that a client posted to /v1/traces: protobuf or JSON, also gzipped")
    .action(async (flags: Flags & { explain: string }) => {
      await writeResult(await actions.explainFile(flags.explain, configOptions(flags)), flags.output, terminal);
    });
  withExamples(
    command,
    "genspan map --explain body.pb",
    "genspan map --explain body.json -o json",
    "genspan map --explain body.json --config otel-config.yaml",
  );
}

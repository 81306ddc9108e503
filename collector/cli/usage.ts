import type { Command } from "commander";
import { withApi } from "./api.ts";
import { writeGroups } from "./generation.ts";
import { type FilterFlags, withFilter } from "./list.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";

export function addUsage(program: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(program.command("usage"), input.env)))
    .description("tokens, cost, latency and errors; of the last thirty days unless told")
    .option("--by <groupings>", "model, provider, version, user, day …; several with commas", "model")
    .action((flags: FilterFlags & { readonly by: string }) => writeGroups(input, flags, { path: "/api/usage", by: flags.by }));
  withExamples(command, "genspan usage", "genspan usage --by day,model --from -7d -o csv");
}

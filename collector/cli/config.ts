import type { Command } from "commander";
import { type CliInput, type Flags, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { resultSet } from "./result-set.ts";
import { shownSetting } from "./shown-setting.ts";

/** What commands take from files and the environment. */
export function addConfig(program: Command, { settings, terminal }: CliInput): void {
  const config = program.command("config").description("where commands find their data: settings and profiles");
  withExamples(config, "genspan config list --show-origin", "genspan config profiles");
  const list = withOutput(config.command("list"))
    .description(
      "settings that hold: --profile beats the environment, that beats ./genspan.config.json, and that ~/.config/genspan/config.json",
    )
    .option("--show-origin", "also who says so")
    .action(async (flags: Flags & { readonly showOrigin?: true }) => {
      if (settings?.fault !== undefined) throw settings.fault;
      const origins = flags.showOrigin === true;
      const rows = (settings?.effective ?? []).map((each) => [each.name, shownSetting(each), ...(origins ? [each.origin] : [])]);
      await writeResult(resultSet(["setting", "value", ...(origins ? ["origin"] : [])], rows), flags.output, terminal);
    });
  withExamples(list, "genspan config list --show-origin", "genspan --profile prod config list");
  const profiles = withOutput(config.command("profiles"))
    .description("profiles that files name, for --profile or GENSPAN_PROFILE")
    .action(async (flags: Flags) => {
      if (settings?.fault !== undefined) throw settings.fault;
      const rows = (settings?.profiles ?? []).map(({ name, chosen, origin }) => [name, chosen, origin]);
      await writeResult(resultSet(["profile", "chosen", "origin"], rows), flags.output, terminal);
    });
  withExamples(profiles, "genspan config profiles");
}

import type { Command } from "commander";
import { type ApiRow, useApi, withApi } from "./api.ts";
import { type ApiDiff, writeDiff } from "./diff.ts";
import { type FilterFlags, filterQuery, smallResult, withFilter } from "./list.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { writeRecord } from "./record.ts";

const promptPath = (name: string): string => `/api/prompts/${encodeURIComponent(name)}`;
const VERSION_COLUMNS = [
  "version",
  "generations",
  "success_rate",
  "approval_rate",
  "avg_tokens",
  "p50_duration_ms",
  "p95_duration_ms",
  "cost_per_call",
  "texts",
  "drift",
  "last_seen",
];

export function addPrompt(program: Command, input: CliInput): void {
  const prompt = program.command("prompt").description("prompt templates: versions, and how each did");
  withExamples(prompt, "genspan prompt list", "genspan prompt show quiz", "genspan prompt compare quiz 2.0 2.1");
  addListing(prompt, input);
  addCompare(prompt, input);
}

function addListing(prompt: Command, input: CliInput): void {
  const list = withOutput(withFilter(withApi(prompt.command("list"), input.env)))
    .description("list prompt templates, the latest used first")
    .action((flags: FilterFlags) =>
      useApi(input, flags, async (api) => {
        const { data } = (await api.get("/api/prompts", filterQuery(flags))) as { readonly data: readonly ApiRow[] };
        await writeResult(
          await smallResult(data, ["name", "versions", "latest_version", "generations", "last_seen"]),
          flags.output,
          input.terminal,
        );
      }),
    );
  withExamples(list, "genspan prompt list", "genspan prompt list --from -30d -o json");
  const show = withOutput(withFilter(withApi(prompt.command("show"), input.env)))
    .argument("<name>", "name of the prompt template")
    .description("the versions of a prompt with their numbers")
    .action((name: string, flags: FilterFlags) =>
      useApi(input, flags, async (api) => {
        const { versions } = (await api.get(promptPath(name), filterQuery(flags))) as { readonly versions: readonly ApiRow[] };
        const forPeople = flags.output === "table" || flags.output === "md";
        const rows = forPeople
          ? versions.map((row) => Object.fromEntries(VERSION_COLUMNS.map((column) => [column, row[column]])))
          : versions;
        await writeResult(await smallResult(rows, VERSION_COLUMNS), flags.output, input.terminal);
      }),
    );
  withExamples(show, "genspan prompt show quiz", "genspan prompt show quiz --from -30d -o json");
}

interface Comparison extends ApiRow {
  readonly changes: readonly ApiRow[];
  readonly text: ApiDiff;
}

function addCompare(prompt: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(prompt.command("compare"), input.env)))
    .argument("<name>", "name of the prompt template")
    .argument("<v1>", "one version")
    .argument("<v2>", "the other")
    .description("what changed between two versions, and whether the difference is more than noise")
    .action((name: string, a: string, b: string, flags: FilterFlags) =>
      useApi(input, flags, async (api) => {
        const query = filterQuery(flags);
        query.set("a", a);
        query.set("b", b);
        const comparison = (await api.get(`${promptPath(name)}/compare`, query)) as Comparison;
        if (flags.output !== "table" && flags.output !== "md") return writeRecord(comparison, flags.output, input.terminal);
        await writeResult(await smallResult(comparison.changes, ["metric", "a", "b", "verdict"]), flags.output, input.terminal);
        await writeDiff(input.terminal, "text", comparison.text);
      }),
    );
  withExamples(command, "genspan prompt compare quiz 2.0 2.1");
}

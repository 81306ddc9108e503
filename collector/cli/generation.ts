import type { Command } from "commander";
import { type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { type ApiDiff, writeDiff } from "./diff.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { addList, type FilterFlags, filterQuery, type ListFlags, runList, smallResult, withFilter, withPaging } from "./list.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { writeRecord } from "./record.ts";
import { generationId, generationPath } from "./reference.ts";
import { writeSection } from "./section.ts";

const COLUMNS = [
  "start_time",
  "id",
  "generation_status",
  "model_name",
  "prompt_template_name",
  "prompt_template_version",
  "tokens_prompt",
  "tokens_completion",
  "tokens_reasoning",
  "cost_amount",
  "duration_ms",
  "quality_status",
];

export function addGeneration(program: Command, input: CliInput): void {
  const generation = program.command("generation").description("model calls");
  withExamples(generation, "genspan generation list --from -24h", "genspan generation inspect lesson:42 --show-reasoning");
  addList(generation, input, {
    path: "/api/generations",
    columns: COLUMNS,
    description: "list model calls, newest first",
    examples: [
      "genspan generation list --from -24h",
      "genspan generation list -f model=gpt-5 -f min_ms=2000 --sort=-cost",
      "genspan generation list --all -o jsonl",
    ],
  });
  addInspect(generation, input);
  addStats(generation, input);
  addFindIssues(generation, input);
  addDiff(generation, input);
  addLink(generation, input);
  addReprice(generation, input);
}

interface InspectFlags extends ApiFlags {
  readonly showPrompt?: true;
  readonly showReasoning?: true;
  readonly showResponse?: true;
  readonly raw?: true;
}

/** Long texts are shown when they are asked for. */
const TEXTS = ["prompt_full_text", "response_full_text", "reasoning_content", "system_instructions", "tool_definitions", "error_traceback"];

function addInspect(generation: Command, input: CliInput): void {
  const command = withOutput(withApi(generation.command("inspect"), input.env))
    .argument("<id|entity>", "traceid-spanid, or what the call made, as type:id")
    .description("everything known about one call")
    .option("--show-prompt", "also what was sent, in full")
    .option("--show-reasoning", "also the model's reasoning")
    .option("--show-response", "also the answer, in full")
    .option("--raw", "the span as it was received, as OTLP/JSON")
    .action((given: string, flags: InspectFlags) => inspect(input, given, flags));
  withExamples(command, "genspan generation inspect lesson:42 --show-reasoning", "genspan generation inspect lesson:42 -o json");
}

const inspect = (input: CliInput, given: string, flags: InspectFlags): Promise<void> =>
  useApi(input, flags, async (api) => {
    const { terminal } = input;
    const path = generationPath(await generationId(api, given));
    if (flags.raw === true) return terminal.write(`${await (await api.open(`${path}/span`)).text()}\n`);
    const call = (await api.get(path)) as ApiRow;
    if (flags.output !== "table" && flags.output !== "md") return writeRecord(call, flags.output, terminal);
    await writeRecord(
      Object.fromEntries(Object.entries(call).filter(([name, value]) => !TEXTS.includes(name) && !isEmpty(value))),
      flags.output,
      terminal,
    );
    const sections = [
      ["system instructions", flags.showPrompt, "system_instructions"],
      ["prompt", flags.showPrompt, "prompt_full_text"],
      ["reasoning", flags.showReasoning, "reasoning_content"],
      ["response", flags.showResponse, "response_full_text"],
    ] as const;
    for (const [heading, wanted, column] of sections) {
      const text = call[column];
      if (wanted === true && typeof text === "string") await writeSection(terminal, heading, text);
      else if (wanted === true && column !== "system_instructions") terminal.note(`Nothing is known of the ${heading} of this call.`);
    }
  });

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function addStats(generation: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(generation.command("stats"), input.env)))
    .alias("trace-stats")
    .description("numbers of the calls that a filter selects")
    .option("--by <groupings>", "model, provider, prompt, version, env, user, day …; several with commas", "model")
    .action((flags: FilterFlags & { readonly by: string }) => writeGroups(input, flags, { path: "/api/generations/stats", by: flags.by }));
  withExamples(command, "genspan generation stats --by model,version", "genspan generation trace-stats --from -7d -o json");
}

/** What a table shows of statistics, besides the groupings. */
const MEASURES = [
  "generations",
  "error_rate",
  "tokens_prompt",
  "tokens_completion",
  "tokens_reasoning",
  "cost_amount",
  "cost_currency",
  "unpriced",
  "p50_duration_ms",
  "p95_duration_ms",
];

interface Groups {
  readonly path: string;
  readonly by: string;
}

/** Prints statistics by group. */
export const writeGroups = (input: CliInput, flags: FilterFlags, { path, by }: Groups): Promise<void> =>
  useApi(input, flags, async (api) => {
    const query = filterQuery(flags);
    query.set("by", by);
    const { data, truncated } = (await api.get(path, query)) as { readonly data: readonly ApiRow[]; readonly truncated: boolean };
    if (truncated) input.terminal.note(`These are the ${data.length} groups with the most calls; there are more: narrow it by a filter.`);
    const columns = [...by.split(",").map((each) => each.trim()), ...MEASURES];
    const forPeople = flags.output === "table" || flags.output === "md";
    const rows = forPeople ? data.map((row) => Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))) : data;
    await writeResult(await smallResult(rows, columns), flags.output, input.terminal);
  });

interface FindFlags extends ListFlags {
  readonly qualityStatus: string;
  readonly failIfFound?: true;
}

function addFindIssues(generation: Command, input: CliInput): void {
  const columns = [
    "start_time",
    "id",
    "quality_status",
    "quality_issues",
    "generation_status",
    "response_finish_reason",
    "model_name",
    "response_start",
  ];
  const command = withOutput(withPaging(withFilter(withApi(generation.command("find-issues"), input.env))))
    .description("calls that need somebody to look at them")
    .option("--quality-status <status>", "state of the review", "pending_review")
    .option("--fail-if-found", "end with exit code 10 when there is one")
    .action(async (flags: FindFlags) => {
      const found = await runList(
        input,
        { ...flags, filter: [...flags.filter, ["quality", flags.qualityStatus]] },
        { path: "/api/generations", columns },
      );
      if (found > 0 && flags.failIfFound === true)
        throw new CommandError(EXIT.finding, `${found} model calls have the quality status ${flags.qualityStatus}.`);
    });
  withExamples(
    command,
    "genspan generation find-issues --quality-status pending_review",
    "genspan generation find-issues --from -24h --fail-if-found",
  );
}

interface Comparison extends ApiRow {
  readonly parameters: readonly ApiRow[];
  readonly results: readonly ApiRow[];
  readonly system_instructions: ApiDiff;
  readonly prompt: ApiDiff;
  readonly response: ApiDiff;
}

function addDiff(generation: Command, input: CliInput): void {
  const command = withOutput(withApi(generation.command("diff"), input.env))
    .argument("<a>", "one call, by id or type:id")
    .argument("<b>", "the other")
    .description("how two calls differ: parameters, results, texts")
    .action((a: string, b: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const query = new URLSearchParams({ a: await generationId(api, a), b: await generationId(api, b) });
        const comparison = (await api.get("/api/generations/compare", query)) as Comparison;
        if (flags.output !== "table" && flags.output !== "md") return writeRecord(comparison, flags.output, input.terminal);
        await writeResult(
          await smallResult([...comparison.parameters, ...comparison.results], ["name", "a", "b"]),
          flags.output,
          input.terminal,
        );
        await writeDiff(input.terminal, "system instructions", comparison.system_instructions);
        await writeDiff(input.terminal, "prompt", comparison.prompt);
        await writeDiff(input.terminal, "response", comparison.response);
      }),
    );
  withExamples(command, "genspan generation diff lesson:42 lesson:43");
}

function addLink(generation: Command, input: CliInput): void {
  const command = withOutput(withApi(generation.command("link"), input.env))
    .argument("<id>", "traceid-spanid")
    .argument("<entity>", "what the call made, as type:id")
    .description("say which thing of the application a call made")
    .action((given: string, entity: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const colon = entity.indexOf(":");
        if (colon < 1 || colon === entity.length - 1) throw new CommandError(EXIT.usage, "The entity must be like lesson:42.");
        const path = `${generationPath(await generationId(api, given))}/entity`;
        await api.send("PUT", path, { type: entity.slice(0, colon), id: entity.slice(colon + 1) });
        input.terminal.note(`The call is linked to ${entity}.`);
      }),
    );
  withExamples(command, "genspan generation link lesson:42 lesson:43");
}

interface RepriceFlags extends ApiFlags {
  readonly from: string;
  readonly to?: string;
  readonly model?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

function addReprice(generation: Command, input: CliInput): void {
  const command = withOutput(withApi(generation.command("reprice"), input.env))
    .description("work costs out again by today's price table; costs that were sent stay")
    .requiredOption("--from <time>", "calls from this time on: -30d, 2026-11-01")
    .option("--to <time>", "calls before this time")
    .option("--model <name>", "only calls of this model")
    .option("--dry-run", "only count")
    .option("--yes", "really change the rows")
    .action((flags: RepriceFlags) =>
      useApi(input, flags, async (api) => {
        if (flags.yes !== true && flags.dryRun !== true)
          throw new CommandError(EXIT.usage, "Add --dry-run to count what would change, or --yes to change it.");
        const { from, to, model } = flags;
        const body = {
          from,
          ...(to === undefined ? {} : { to }),
          ...(model === undefined ? {} : { model }),
          dry_run: flags.dryRun === true,
        };
        await writeRecord((await api.send("POST", "/api/generations/reprice", body)) as ApiRow, flags.output, input.terminal);
      }),
    );
  withExamples(
    command,
    "genspan generation reprice --from -30d --dry-run",
    "genspan generation reprice --from 2026-11-01 --model gpt-5 --yes",
  );
}

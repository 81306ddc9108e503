import type { Command } from "commander";
import { type ApiClient, type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { addList, type FilterFlags, filterQuery, rowsResult, withFilter } from "./list.ts";
import { type CliInput, positiveInteger, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { writeRecord } from "./record.ts";
import { isForPeople, pick, scalarsOf, writeSection } from "./show-table.ts";

const LIST_COLUMNS = [
  "created_at",
  "id",
  "kind",
  "title",
  "model",
  "prompt_version",
  "total_tokens",
  "total_reasoning_tokens",
  "generations_count",
  "quality_status",
];
const EXAMPLE_ID = "30000000-0000-4000-8000-000000000001";

/** Things that several model calls made together. */
export function addItem(program: Command, input: CliInput): void {
  const item = program.command("item").description("things that several model calls made: problems, lessons …");
  withExamples(item, "genspan item list --from -24h", `genspan item inspect ${EXAMPLE_ID} --show-reasoning`, "genspan item trace-stats");
  addList(item, input, {
    path: "/api/items",
    columns: LIST_COLUMNS,
    description: "list items, newest first",
    examples: [
      "genspan item list --from -24h",
      "genspan item list -f quality=pending_review --sort=-tokens",
      "genspan item list --all -o jsonl",
    ],
  });
  addInspect(item, input);
  addStats(item, input);
  addFindIssues(item, input);
  addLabels(item, input);
}

interface InspectFlags extends ApiFlags {
  readonly showReasoning?: true;
  readonly showPrompt?: true;
  readonly showOutput?: true;
}

const SENTENCE_COLUMNS = ["index", "model", "prompt_version", "input_tokens", "output_tokens", "reasoning_tokens", "duration_ms", "status"];

function addInspect(item: Command, input: CliInput): void {
  const command = withOutput(withApi(item.command("inspect"), input.env))
    .argument("<id>", "uuid of the item, or the id that its application gave it")
    .description("how an item was made, generation by generation")
    .option("--show-reasoning", "what the models thought")
    .option("--show-prompt", "exactly what was sent")
    .option("--show-output", "what was answered")
    .action((id: string, flags: InspectFlags) =>
      useApi(input, flags, async (api) => {
        const record = (await api.get(`/api/items/${encodeURIComponent(id)}`)) as ApiRow;
        if (!isForPeople(flags.output)) return writeRecord(record, flags.output, input.terminal);
        await writeRecord({ ...scalarsOf(record), quality_issues: record["quality_issues"] }, flags.output, input.terminal);
        const trace = record["generation_trace"] as { sentences: readonly ApiRow[] };
        // Logs that an application kept itself may leave the position to the order.
        const sentences = trace.sentences.map((sentence, index) => ({ index, ...sentence }));
        await writeSection("generations", pick(sentences, SENTENCE_COLUMNS), { format: flags.output, terminal: input.terminal });
        for (const sentence of sentences) await writeTexts(sentence, flags, input);
      }),
    );
  withExamples(
    command,
    `genspan item inspect ${EXAMPLE_ID} --show-reasoning`,
    `genspan item inspect ${EXAMPLE_ID} --show-prompt --show-output`,
    `genspan item inspect ${EXAMPLE_ID} -o json`,
  );
}

async function writeTexts(sentence: ApiRow, flags: InspectFlags, { terminal }: CliInput): Promise<void> {
  const wanted = [
    ["prompt", flags.showPrompt, "prompt_text"],
    ["reasoning", flags.showReasoning, "reasoning_content"],
    ["output", flags.showOutput, "content"],
  ] as const;
  for (const [name, shown, field] of wanted) {
    if (shown !== true) continue;
    const text = sentence[field];
    await terminal.write(`\n${terminal.style("bold", `generation ${sentence["index"]}: ${name}`)}\n`);
    await terminal.write(typeof text === "string" ? `${text}\n` : `${terminal.style("dim", "(not captured)")}\n`);
  }
}

function addStats(item: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(item.command("stats").alias("trace-stats"), input.env)))
    .description("tokens and judgements, in all and by group")
    .option("--by <group>", "model, version, kind, quality, status, run or day", "model")
    .action((flags: FilterFlags & { by: string }) =>
      useApi(input, flags, async (api) => {
        const query = filterQuery(flags);
        query.set("by", flags.by);
        const stats = (await api.get("/api/items/stats", query)) as ApiRow;
        if (!isForPeople(flags.output)) return writeRecord(stats, flags.output, input.terminal);
        const form = { format: flags.output, terminal: input.terminal };
        await writeRecord(scalarsOf(stats), flags.output, input.terminal);
        await writeSection(`by ${flags.by}`, stats["groups"] as ApiRow[], form);
        await writeSection("issues", stats["issues"] as ApiRow[], form);
      }),
    );
  withExamples(command, "genspan item stats --from -30d", "genspan item trace-stats --by version", "genspan item stats --by day -o json");
}

interface IssueFlags extends FilterFlags {
  readonly qualityStatus?: string;
  readonly failIfFound?: true;
  readonly limit: number;
}

function addFindIssues(item: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(item.command("find-issues"), input.env)))
    .description(
      "items with something wrong: noted issues, failures, refusals, answers that break off, doubt in the reasoning, patterns of your own",
    )
    .option("--quality-status <status>", "items of this state, whatever is seen in them")
    .option("--fail-if-found", "exit code 10 when there are any, for cron and CI")
    .option("--limit <n>", "items that are looked at", positiveInteger, 1_000)
    .action((flags: IssueFlags) =>
      useApi(input, flags, async (api) => {
        const query = filterQuery(flags);
        if (flags.qualityStatus !== undefined) query.append("quality", flags.qualityStatus);
        const columns = ["id", "kind", "title", "quality_status", "issues"];
        const people = isForPeople(flags.output);
        const result = await rowsResult(issuePages(api, query, flags.limit), { chosen: people ? columns : undefined, fallback: columns });
        const count = await writeResult(result, flags.output, input.terminal);
        if (flags.failIfFound === true && count > 0)
          throw new CommandError(EXIT.finding, count === 1 ? "One item has issues." : `${count} items have issues.`);
      }),
    );
  withExamples(
    command,
    "genspan item find-issues --from -24h",
    "genspan item find-issues --quality-status pending_review",
    "genspan item find-issues --quality-status pending_review --fail-if-found -o json",
  );
}

/** Pages hold as many items as have issues; how many were looked at counts towards the limit. */
async function* issuePages(api: ApiClient, query: URLSearchParams, limit: number): AsyncGenerator<readonly ApiRow[]> {
  for (let left = limit; left > 0; ) {
    query.set("limit", String(Math.min(left, 200)));
    const page = (await api.get("/api/items/issues", query)) as { data: readonly ApiRow[]; next: string | null; looked_at: number };
    // The first page that is given tells the columns of all.
    if (page.data.length > 0) yield page.data.map((row) => ({ ...row, issues: issuesOf(row) }));
    left -= page.looked_at;
    if (page.next === null || page.looked_at === 0) return;
    query.set("after", page.next);
  }
}

function issuesOf({ quality_issues, findings, status }: ApiRow): string {
  const noted = Array.isArray(quality_issues) ? quality_issues.map(String) : [];
  const seen = (findings as readonly { issue: string }[]).map(({ issue }) => issue);
  return [...new Set([...noted, ...seen, ...(status === "failed" ? ["failed"] : [])])].join(", ");
}

function addLabels(item: Command, input: CliInput): void {
  const command = withFilter(withApi(item.command("labels"), input.env))
    .description("judged items as examples for training a judge: a line of JSON each")
    .action((flags: FilterFlags) =>
      useApi(input, flags, async (api) => {
        const { body } = await api.open("/api/items/labels", filterQuery(flags));
        const decoder = new TextDecoder();
        for await (const chunk of body ?? []) await input.terminal.write(decoder.decode(chunk, { stream: true }));
      }),
    );
  withExamples(command, "genspan item labels -f kind=problem", "genspan item labels --from -90d");
}

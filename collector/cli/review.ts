import type { Command } from "commander";
import { type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { type FilterFlags, filterQuery, type ListFlags, runList, withFilter, withPaging } from "./list.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";
import { writeRecord } from "./record.ts";
import { generationId, generationPath } from "./reference.ts";
import { writeSection } from "./section.ts";

const COLUMNS = ["start_time", "id", "quality_status", "quality_issues", "model_name", "prompt_template_name", "response_start"];

export function addReview(program: Command, input: CliInput): void {
  const review = program.command("review").description("judging model calls");
  withExamples(review, "genspan review list", "genspan review next --reviewer ada", "genspan review approve lesson:42");
  addQueue(review, input);
  addNext(review, input);
  addJudgement(review, input, "approve");
  addJudgement(review, input, "reject");
  addUndo(review, input);
}

function addQueue(review: Command, input: CliInput): void {
  const list = withOutput(withPaging(withFilter(withApi(review.command("list"), input.env))))
    .description("calls that wait for a review")
    .action(
      async (flags: ListFlags) =>
        void (await runList(
          input,
          { ...flags, filter: [...flags.filter, ["quality", "pending_review"]] },
          { path: "/api/generations", columns: COLUMNS },
        )),
    );
  withExamples(list, "genspan review list", "genspan review list -f model=gpt-5 --sort time");
  const progress = withOutput(withFilter(withApi(review.command("progress"), input.env)))
    .description("how many calls wait, and how many are judged")
    .action((flags: FilterFlags) =>
      useApi(input, flags, async (api) =>
        writeRecord((await api.get("/api/review", filterQuery(flags))) as ApiRow, flags.output, input.terminal),
      ),
    );
  withExamples(progress, "genspan review progress --from -7d");
}

function addNext(review: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(review.command("next"), input.env)))
    .description("the next call that waits, claimed for ten minutes so that nobody else gets it")
    .option("--reviewer <name>", "who judges")
    .action((flags: FilterFlags & { readonly reviewer?: string }) =>
      useApi(input, flags, async (api) => {
        const query = filterQuery(flags);
        const body = flags.reviewer === undefined ? {} : { reviewer: flags.reviewer };
        const { generation } = (await api.send("POST", `/api/review/next?${query}`, body)) as { readonly generation: ApiRow | null };
        if (generation === null) return input.terminal.note("Nothing waits for a review.");
        if (flags.output !== "table" && flags.output !== "md") return writeRecord(generation, flags.output, input.terminal);
        const shown = [
          "id",
          "start_time",
          "model_name",
          "prompt_template_name",
          "prompt_template_version",
          "entity_type",
          "entity_id",
          "quality_issues",
        ];
        await writeRecord(Object.fromEntries(shown.map((name) => [name, generation[name]])), flags.output, input.terminal);
        for (const [heading, column] of [
          ["prompt", "prompt_full_text"],
          ["response", "response_full_text"],
        ] as const) {
          const text = generation[column];
          if (typeof text === "string") await writeSection(input.terminal, heading, text);
        }
      }),
    );
  withExamples(command, "genspan review next --reviewer ada");
}

interface JudgementFlags extends ApiFlags {
  readonly issue?: readonly string[];
  readonly note?: string;
  readonly score?: string;
  readonly reviewer?: string;
}

function addJudgement(review: Command, input: CliInput, verb: "approve" | "reject"): void {
  const status = verb === "approve" ? "approved" : "rejected";
  const command = withOutput(withApi(review.command(verb), input.env))
    .argument("<id...>", "calls by id or type:id")
    .description(verb === "approve" ? "say that calls are good" : "say what is wrong with calls")
    .option("--issue <tag...>", "what is wrong, in short tags")
    .option("--note <text>", "what is wrong, in words")
    .option("--score <number>", "a number for it")
    .option("--reviewer <name>", "who judges")
    .action((ids: string[], { issue: issues, note, score, reviewer, ...flags }: JudgementFlags) =>
      useApi(input, flags, async (api) => {
        const given = { issues, note, score: score === undefined ? undefined : Number(score), reviewer };
        for (const id of ids) await api.send("POST", `${generationPath(await generationId(api, id))}/review`, { status, ...given });
        input.terminal.note(`${ids.length} ${ids.length === 1 ? "call is" : "calls are"} ${status}.`);
      }),
    );
  withExamples(
    command,
    verb === "approve"
      ? "genspan review approve lesson:42 --reviewer ada"
      : "genspan review reject lesson:42 --issue too_long --note 'see the last line'",
  );
}

function addUndo(review: Command, input: CliInput): void {
  const command = withOutput(withApi(review.command("undo"), input.env))
    .argument("<id>", "call by id or type:id")
    .description("take the latest review of a call back")
    .action((given: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const call = (await api.send("DELETE", `${generationPath(await generationId(api, given))}/review`)) as ApiRow;
        const status = call["quality_status"];
        input.terminal.note(
          `The latest review is taken back: the call ${status === null ? "has no judgement" : `is ${String(status)}`} now.`,
        );
      }),
    );
  withExamples(command, "genspan review undo lesson:42");
}

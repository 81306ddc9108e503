import type { Command } from "commander";
import { type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { confirm } from "./confirm.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { addList, type FilterFlags, filterQuery, smallResult, withFilter } from "./list.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { writeRecord } from "./record.ts";
import { isForPeople, pick, scalarsOf, writeSection } from "./show-table.ts";

const LIST_COLUMNS = [
  "created_at",
  "id",
  "lesson_id",
  "status",
  "model_used",
  "attempts",
  "failed_attempts",
  "total_duration_ms",
  "prompt_start",
];
const EXAMPLE_ID = "20000000-0000-4000-8000-000000000001";

/** Requests for images. */
export function addImage(program: Command, input: CliInput): void {
  const image = program.command("image").description("requests for images and the models that were tried");
  withExamples(image, "genspan image list --from -24h", "genspan image stats --by model", `genspan image show ${EXAMPLE_ID}`);
  addList(image, input, {
    path: "/api/images",
    columns: LIST_COLUMNS,
    description: "list requests for images, newest first",
    examples: ["genspan image list --from -24h", "genspan image list -f status=failed -o json", "genspan image list -f lesson=lesson-1"],
  });
  addShow(image, input);
  addStats(image, input);
  addDelete(image, input);
}

const ATTEMPT_COLUMNS = ["model", "success", "duration_ms", "error", "prompt", "timestamp"];

function addShow(image: Command, input: CliInput): void {
  const command = withOutput(withApi(image.command("show"), input.env))
    .argument("<id>", "uuid of the image trace")
    .description("one request: every attempt in order, and what came of it")
    .action((id: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const record = (await api.get(`/api/images/${encodeURIComponent(id)}`)) as ApiRow;
        if (!isForPeople(flags.output)) return writeRecord(record, flags.output, input.terminal);
        const form = { format: flags.output, terminal: input.terminal };
        const { request_data, response_data, models_tried } = record;
        await writeRecord({ ...scalarsOf(record), models_tried, request_data, response_data }, flags.output, input.terminal);
        await writeSection("attempts", pick(record["image_generation_attempts"] as ApiRow[], ATTEMPT_COLUMNS), form);
        await writeSection("pictures", record["outputs"] as ApiRow[], form);
      }),
    );
  withExamples(command, `genspan image show ${EXAMPLE_ID}`, `genspan image show ${EXAMPLE_ID} -o json`);
}

const GROUPS = { model: "models", day: "days", "model-day": "model_days" } as const;

function addStats(image: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(image.command("stats"), input.env)))
    .description("success and duration by model and by day; models come in the order in which they should be tried")
    .option("--by <group>", "model, day or model-day", "model")
    .action((flags: FilterFlags & { by: string }) =>
      useApi(input, flags, async (api) => {
        const group = Object.hasOwn(GROUPS, flags.by) ? GROUPS[flags.by as keyof typeof GROUPS] : undefined;
        if (group === undefined) throw new CommandError(EXIT.usage, `--by must be one of ${Object.keys(GROUPS).join(", ")}.`);
        const stats = (await api.get("/api/images/stats", filterQuery(flags))) as ApiRow;
        if (flags.output === "json") return writeRecord(stats, flags.output, input.terminal);
        await writeResult(await smallResult(stats[group] as ApiRow[], [flags.by]), flags.output, input.terminal);
      }),
    );
  withExamples(command, "genspan image stats --by model", "genspan image stats --by day --from -30d", "genspan image stats -o json");
}

interface DeleteFlags extends FilterFlags {
  readonly all?: true;
  readonly dryRun?: true;
  readonly yes?: true;
}

function addDelete(image: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(image.command("delete"), input.env)))
    .argument("[id]", "uuid of the image trace")
    .description("delete one image trace, or with --all those that the filter selects; they stay deleted when their records are sent again")
    .option("--all", "all that the filter selects")
    .option("--dry-run", "say how many would go, and delete nothing")
    .option("--yes", "really delete more than one")
    .action((id: string | undefined, flags: DeleteFlags) => runDelete(input, id, flags));
  withExamples(
    command,
    "genspan image delete 20000000-0000-4000-8000-000000000009",
    "genspan image delete --all -f status=failed --dry-run",
    "genspan image delete --all -f status=failed --yes",
  );
}

/** As the API counts. */
const MANY = "more than 10000";

const runDelete = (input: CliInput, id: string | undefined, flags: DeleteFlags): Promise<void> =>
  useApi(input, flags, async (api) => {
    if ((id === undefined) === (flags.all === undefined)) throw new CommandError(EXIT.usage, "Say which: an id, or --all.");
    const query = id === undefined ? filterQuery(flags) : new URLSearchParams();
    if (id === undefined && flags.yes !== true) {
      query.set("limit", "1");
      const { total } = (await api.get("/api/traceImage", query)) as { total: number | null };
      if (flags.dryRun === true) return writeRecord({ would_delete: total ?? MANY }, flags.output, input.terminal);
      const what = `This deletes ${total ?? MANY} image traces for good`;
      await confirm(input.terminal, () => `${what}.`, `${what}: look with --dry-run, then give --yes.`);
      query.delete("limit");
    }
    query.set(id === undefined ? "deleteAll" : "id", id ?? "true");
    if (flags.dryRun === true) return writeRecord(await wouldDelete(id, () => api.get(`/api/images/${id}`)), flags.output, input.terminal);
    await writeRecord((await api.send("DELETE", `/api/traceImage?${query}`)) as ApiRow, flags.output, input.terminal);
  });

/** Asks for the one that would go, so that a wrong id is told. */
async function wouldDelete(id: string | undefined, ask: () => Promise<unknown>): Promise<ApiRow> {
  if (id !== undefined) await ask();
  return { would_delete: 1 };
}

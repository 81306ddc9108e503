import { Argument, type Command, Option } from "commander";
import { useApi, withApi } from "./api.ts";
import { type FilterFlags, filterQuery, withFilter } from "./list.ts";
import { type CliInput, withExamples } from "./options.ts";
import { createProgress } from "./progress.ts";

const NOUNS = ["generations", "attempts", "scores", "items", "images", "runs", "traces"] as const;
const FORMATS = ["csv", "jsonl", "otlp"] as const;

interface ExportFlags extends Omit<FilterFlags, "output"> {
  readonly output?: string;
  readonly columns?: string;
}

export function addExport(program: Command, input: CliInput): void {
  const command = withFilter(withApi(program.command("export"), input.env))
    .addArgument(new Argument("<noun>", "what to write").choices(NOUNS))
    .description("write all rows of a filter to standard output, as they come in")
    .addOption(new Option("-o, --output <format>", "form of the file; of traces otlp unless told, else jsonl").choices(FORMATS))
    .option("--columns <names>", "columns to write, separated by commas")
    .action((noun: string, flags: ExportFlags) => runExport(input, noun, flags));
  withExamples(
    command,
    "genspan export generations --from -30d -o csv > generations.csv",
    "genspan export traces --from -24h > traces.jsonl",
    "genspan export runs -f status=failed --columns started_at,status,error_summary",
  );
}

const runExport = (input: CliInput, noun: string, flags: ExportFlags): Promise<void> =>
  useApi(input, { ...flags, output: "jsonl" }, async (api) => {
    const path = `/api/export/${encodeURIComponent(noun)}`;
    const query = filterQuery({ ...flags, output: "jsonl" });
    if (flags.columns !== undefined) query.set("columns", flags.columns);
    if (flags.output !== undefined) query.set("format", flags.output);
    const { rows } = (await api.get(`${path}/count`, query)) as { readonly rows: number };
    const { body } = await api.open(path, query);
    const isCsv = flags.output === "csv";
    const progress = createProgress({ terminal: input.terminal, unit: "lines", total: isCsv ? undefined : rows });
    const decoder = new TextDecoder();
    let lines = 0;
    try {
      for await (const chunk of body ?? []) {
        const text = decoder.decode(chunk, { stream: true });
        for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
        await input.terminal.write(text);
        progress.at(lines);
      }
    } finally {
      progress.end();
    }
  });

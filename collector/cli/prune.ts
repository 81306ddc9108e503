import { type Command, InvalidArgumentError } from "commander";
import type { PrunedRows, PruneOptions } from "./actions.ts";
import { confirm } from "./confirm.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import {
  type CliInput,
  databaseOptions,
  type Flags,
  positiveInteger,
  projectOf,
  withDatabase,
  withExamples,
  withOutput,
  withProject,
} from "./options.ts";
import { writeResult } from "./output.ts";
import { resultSet } from "./result-set.ts";

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads `90d`, `12h`, `4w` as milliseconds. */
export function readAge(text: string): number {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const millis = UNIT_MS[unit];
  if (count === undefined || millis === undefined) throw new InvalidArgumentError("It must be like 12h, 90d or 4w.");
  return Number(count) * millis;
}

interface AgeFlags extends Flags {
  readonly olderThan: number;
  readonly dryRun?: true;
}

interface PruneFlags extends AgeFlags {
  readonly content?: true;
  readonly unlinked?: true;
  readonly keepChars?: number;
  readonly project: number;
  readonly yes?: true;
}

const withAge = (command: Command): Command =>
  command
    .requiredOption("--older-than <age>", "such as 90d, 12h or 4w", readAge)
    .option("--dry-run", "say what would go, and remove nothing");

const beforeOf = ({ olderThan }: AgeFlags): Date => new Date(Date.now() - olderThan);

const writeRows = async (rows: readonly PrunedRows[], flags: Flags, { terminal }: CliInput): Promise<void> =>
  void (await writeResult(
    resultSet(
      ["table", "partition", "rows"],
      rows.map(({ table, partition, rows: count }) => [table, partition, count]),
    ),
    flags.output,
    terminal,
  ));

export function addPrune(program: Command, input: CliInput): void {
  const command = withOutput(withAge(withProject(withDatabase(program.command("prune"), input.env), "with --unlinked: the project")))
    .description("remove what is old, in all projects: telemetry, or its content alone, or calls that were never linked")
    .option("--content", "only prompts, answers and other content; numbers, names and times stay")
    .option("--keep-chars <n>", "with --content: characters of each text that stay", positiveInteger)
    .option("--unlinked", "only calls that announced a record of the application which never came")
    .option("--yes", "really do it")
    .action((flags: PruneFlags) => runPrune(input, flags));
  withExamples(
    command,
    "genspan prune --older-than 90d --dry-run",
    "genspan prune --older-than 30d --content --dry-run",
    "genspan prune --older-than 24h --unlinked --dry-run",
  );
}

async function runPrune(input: CliInput, flags: PruneFlags): Promise<void> {
  if (flags.content === true && flags.unlinked === true) throw new CommandError(EXIT.usage, "Give --content or --unlinked, not both.");
  const options: PruneOptions = {
    ...databaseOptions(flags, input.env),
    before: beforeOf(flags),
    dryRun: flags.dryRun === true,
    what: flags.content === true ? "content" : flags.unlinked === true ? "unlinked" : "rows",
    keepChars: flags.keepChars ?? 0,
    projectId: projectOf(flags, input.env),
  };
  if (flags.dryRun !== true && flags.yes !== true) {
    const question = async (): Promise<string> => {
      const total = (await input.actions.prune({ ...options, dryRun: true })).reduce((sum, { rows }) => sum + rows, 0);
      return `This removes ${flags.content === true ? "the content of " : ""}${total} rows for good.`;
    };
    await confirm(input.terminal, question, "What is removed does not come back: look with --dry-run first, then give --yes.");
  }
  await writeRows(await input.actions.prune(options), flags, input);
}

interface FolderFlags {
  readonly folder?: string;
}

export function addArchive(program: Command, input: CliInput): void {
  const archive = program.command("archive").description("content in compressed files");
  withExamples(archive, "genspan archive create --older-than 90d", "genspan archive restore");
  const folder = "folder of the files; without it <data-dir>/archive";
  const create = withOutput(withAge(withDatabase(archive.command("create"), input.env)))
    .description("move content out of old rows into files; numbers, names and times stay")
    .option("--folder <path>", folder)
    .action(async (flags: AgeFlags & FolderFlags) => {
      const options = {
        ...databaseOptions(flags, input.env),
        before: beforeOf(flags),
        dryRun: flags.dryRun === true,
        folder: flags.folder,
      };
      await writeRows(await input.actions.archive(options), flags, input);
    });
  withExamples(create, "genspan archive create --older-than 90d --dry-run");
  const restore = withOutput(withDatabase(archive.command("restore"), input.env))
    .description("write archived content back into its rows; the files stay")
    .option("--folder <path>", "folder of the files; without it every one that content went to")
    .option("--from <day>", "only files of this day and later, such as 2026-11-01")
    .option("--to <day>", "only files of this day and earlier")
    .action(async (flags: Flags & FolderFlags & { readonly from?: string; readonly to?: string }) => {
      const { files, restored, missing } = await input.actions.restore({
        ...databaseOptions(flags, input.env),
        folder: flags.folder,
        ...(flags.from === undefined ? {} : { fromDay: flags.from }),
        ...(flags.to === undefined ? {} : { toDay: flags.to }),
      });
      await writeResult(resultSet(["files", "restored", "missing"], [[files, restored, missing]]), flags.output, input.terminal);
    });
  withExamples(restore, "genspan archive restore --from 2026-11-01 --to 2026-11-30");
}

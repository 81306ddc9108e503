import { Argument, type Command } from "commander";
import { type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { confirm } from "./confirm.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type CliInput, withArchive, withExamples, withOutput } from "./options.ts";
import { writeRecord } from "./record.ts";

const KINDS = ["user", "conversation", "entity", "trace", "generation"] as const;

interface EraseFlags extends ApiFlags {
  readonly dryRun?: true;
  readonly explain?: true;
  readonly yes?: true;
}

type Subject = { readonly kind: (typeof KINDS)[number]; readonly value: string };

export function addErase(program: Command, input: CliInput): void {
  const command = withArchive(withOutput(withApi(program.command("erase"), input.env)))
    .addArgument(new Argument("<kind>", "whom or what it is about").choices(KINDS))
    .argument("<id>", "of an entity type:id, of a generation traceid-spanid")
    .description("erase everything that speaks of somebody or something, for good")
    .option("--explain", "write everything that is stored about it instead, a line of JSON per row")
    .option("--dry-run", "say how much would go, and erase nothing")
    .option("--yes", "really do it")
    .action((kind: Subject["kind"], value: string, flags: EraseFlags) => runErase(input, { kind, value }, flags));
  withExamples(command, "genspan erase user u-123 --dry-run", "genspan erase entity definitie:456 --explain");
}

const runErase = (input: CliInput, subject: Subject, flags: EraseFlags): Promise<void> =>
  useApi(input, flags, async (api) => {
    if (flags.explain === true) {
      const { body } = await api.open("/api/subject", new URLSearchParams({ [subject.kind]: subject.value }));
      const decoder = new TextDecoder();
      for await (const chunk of body ?? []) await input.terminal.write(decoder.decode(chunk, { stream: true }));
      return;
    }
    if (flags.dryRun !== true && flags.yes !== true) {
      const question = async (): Promise<string> => {
        const { traces, spans } = (await api.send("POST", "/api/erase", { ...subject, dry_run: true })) as ApiRow;
        return `This erases ${traces} whole traces and ${spans} spans of others for good.`;
      };
      await confirm(
        input.terminal,
        question,
        "What is erased does not come back: look with --dry-run or --explain first, then give --yes.",
      );
    }
    const report = (await api.send("POST", "/api/erase", { ...subject, dry_run: flags.dryRun === true })) as ApiRow;
    await writeRecord(report, flags.output, input.terminal);
    const unreached = Number(report["unreached_archives"] ?? 0);
    if (unreached > 0)
      throw new CommandError(
        EXIT.failure,
        `It is not all gone: ${unreached} ${unreached === 1 ? "folder" : "folders"} of archived content could not be reached. Erase it again on the machine that has them, within thirty days.`,
      );
  });

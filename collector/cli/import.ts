import { accessSync, constants, createReadStream, type Stats, statSync } from "node:fs";
import { Readable } from "node:stream";
import type { Command } from "commander";
import { objectOf } from "./answer.ts";
import { type ApiClient, type ApiFlags, useApi, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { createProgress } from "./progress.ts";
import { resultSet } from "./result-set.ts";
import type { Terminal } from "./terminal.ts";

interface ImportReport {
  readonly read: number;
  readonly stored: Readonly<Record<string, number>>;
  readonly known: number;
  readonly otlpRequests: number;
  readonly refused: number;
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
  readonly ignored: readonly { readonly line: number; readonly names: readonly string[] }[];
}

/** Standard input, as commands name it. */
const STDIN = "-";
const STDIN_FD = 0;
const SHOWN_FAULTS = 10;
const COLUMNS = ["file", "objects", "stored", "known", "otlp_requests", "refused"];

export function addImport(program: Command, input: CliInput): void {
  const command = withOutput(withApi(program.command("import"), input.env))
    .argument("<file...>", "files of JSON objects, also gzipped; - is standard input")
    .description("store exports, OTLP/JSON, and the logs, runs, images and problems that applications kept themselves")
    .action((files: string[], flags: ApiFlags) => runImport(input, files, flags));
  withExamples(
    command,
    "genspan import generations.jsonl",
    "genspan import success_runs.jsonl image-traces.json",
    "zcat traces.jsonl.gz | genspan import -",
  );
}

const runImport = (input: CliInput, files: readonly string[], flags: ApiFlags): Promise<void> =>
  useApi(input, flags, async (api) => {
    const rows: (string | number)[][] = [];
    for (const file of files) {
      const report = await importFile(api, file, input);
      const stored = Object.values(report.stored).reduce((sum, count) => sum + count, 0);
      rows.push([file, report.read, stored, report.known, report.otlpRequests, report.refused]);
      tell(file, report, input.terminal);
    }
    await writeResult(resultSet(COLUMNS, rows), flags.output, input.terminal);
    if (rows.some((row) => row.at(-1) !== 0)) throw new CommandError(EXIT.failure, "Some objects were refused; the others are stored.");
    const [empty] = rows.find(([, read]) => read === 0) ?? [];
    if (empty !== undefined) throw new CommandError(EXIT.usage, `The file ${empty} is empty: there is nothing to import.`);
  });

/** What became of single objects, by their lines. */
function tell(file: string, { faults, refused, ignored }: ImportReport, terminal: Terminal): void {
  for (const { line, reason } of faults.slice(0, SHOWN_FAULTS)) terminal.note(`${file}:${line}: ${reason}`);
  if (refused > SHOWN_FAULTS) terminal.note(`${file}: ${refused - SHOWN_FAULTS} more were refused`);
  for (const { line, names } of ignored.slice(0, SHOWN_FAULTS)) terminal.note(`${file}:${line}: ignored: ${names.join(", ")}`);
  if (ignored.length > SHOWN_FAULTS) terminal.note(`${file}: names were ignored in ${ignored.length - SHOWN_FAULTS} more objects`);
}

async function importFile(api: ApiClient, file: string, { terminal }: CliInput): Promise<ImportReport> {
  const { stream, size } = openFile(file);
  const progress = createProgress({ terminal, unit: "bytes", total: size });
  let sent = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      yield chunk;
      sent += chunk.length;
      progress.at(sent);
    }
  };
  // The collector inflates; only a file says by its first bytes whether it is compressed, and its name is close enough.
  const headers: Record<string, string> = file.endsWith(".gz") ? { "content-encoding": "gzip" } : {};
  const body = Readable.toWeb(Readable.from(counted())) as ReadableStream;
  try {
    const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body, duplex: "half" };
    return (await objectOf(await api.open("/api/import", undefined, init))) as ImportReport;
  } finally {
    progress.end();
    stream.destroy();
  }
}

function openFile(file: string): { stream: Readable; size: number | undefined } {
  if (file === STDIN) return { stream: createReadStream("", { fd: STDIN_FD, autoClose: false }), size: undefined };
  let found: Stats;
  try {
    accessSync(file, constants.R_OK);
    found = statSync(file);
  } catch {
    throw new CommandError(EXIT.usage, `The file ${file} cannot be read: check its name and rights.`);
  }
  if (found.isDirectory()) throw new CommandError(EXIT.usage, `${file} is a folder: name the files in it.`);
  return { size: found.isFile() ? found.size : undefined, stream: createReadStream(file) };
}

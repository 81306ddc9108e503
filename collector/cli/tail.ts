import type { Command } from "commander";
import { keyValue, useApi, withApi } from "./api.ts";
import { type FilterFlags, filterQuery } from "./list.ts";
import { type CliInput, positiveInteger, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { cellOf, resultSet } from "./result-set.ts";

interface TailFlags extends FilterFlags {
  readonly limit?: number;
  readonly columns?: string;
}

type Call = Readonly<Record<string, unknown>>;

const COLUMNS = [
  "start_time",
  "generation_status",
  "model_name",
  "prompt_template_name",
  "tokens_total",
  "cost_amount",
  "duration_ms",
  "id",
];

export function addTail(program: Command, input: CliInput): void {
  const command = withOutput(withApi(program.command("tail"), input.env))
    .description("model calls as they come in, until Ctrl+C")
    .option("-f, --filter <key=value>", "such as model=gpt-5 or -status=success; may be repeated", keyValue, [])
    .option("--columns <names>", "columns to show, separated by commas")
    .option("--limit <n>", "end after so many", positiveInteger)
    .action((flags: TailFlags) => runTail(input, flags));
  withExamples(command, "genspan tail", "genspan tail -f status=failed -o jsonl", "genspan tail -f service=quiz --limit 20");
}

const runTail = (input: CliInput, flags: TailFlags): Promise<void> =>
  useApi(input, flags, async (api) => {
    const stop = new AbortController();
    const query = filterQuery(flags);
    const { body } = await api.open("/api/stream", query, { headers: { accept: "text/event-stream" }, signal: stop.signal });
    const columns = flags.columns?.split(",").map((column) => column.trim()) ?? COLUMNS;
    const calls = limited(callsIn(body ?? new ReadableStream()), flags.limit ?? Number.POSITIVE_INFINITY);
    try {
      const batches = (async function* () {
        for await (const call of calls) yield [columns.map((column) => cellOf(call[column]))];
      })();
      if (flags.output === "jsonl") for await (const call of calls) await input.terminal.write(`${JSON.stringify(call)}\n`);
      else await writeResult({ ...resultSet(columns, []), batches }, flags.output, input.terminal);
    } finally {
      stop.abort();
    }
  });

/** The calls of a stream of server-sent events. */
async function* callsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<Call> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const data = /^event: generation\ndata: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield JSON.parse(data) as Call;
    }
  }
}

async function* limited(calls: AsyncGenerator<Call>, limit: number): AsyncGenerator<Call> {
  let left = limit;
  for await (const call of calls) {
    yield call;
    left--;
    if (left <= 0) return;
  }
}

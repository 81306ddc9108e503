import type { Command } from "commander";
import { type ApiClient, keyValue, useApi, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type FilterFlags, filterQuery } from "./list.ts";
import { type CliInput, positiveInteger, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { cellOf, resultSet } from "./result-set.ts";
import type { Terminal } from "./terminal.ts";

interface TailFlags extends FilterFlags {
  readonly limit?: number;
  readonly columns?: string;
}

type Call = Readonly<Record<string, unknown>>;

const RETRY_MS = 2_000;

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
    const stream = streamed(api, { query: filterQuery(flags), signal: stop.signal, terminal: input.terminal });
    const columns = flags.columns?.split(",").map((column) => column.trim()) ?? COLUMNS;
    const calls = limited(stream, flags.limit ?? Number.POSITIVE_INFINITY);
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

interface StreamOptions {
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** The calls of the stream for ever: after a lost connection it goes on where it was. Throws what the collector refuses, and where it never answered. */
async function* streamed(api: ApiClient, { query, signal, terminal }: StreamOptions): AsyncGenerator<Call> {
  let last: string | undefined;
  for (let lost = false; ; ) {
    try {
      const headers = { accept: "text/event-stream", ...(last === undefined ? {} : { "last-event-id": last }) };
      const { body } = await api.open("/api/stream", query, { headers, signal });
      if (lost) terminal.note("The connection is back.");
      lost = false;
      for await (const event of eventsIn(body ?? new ReadableStream())) {
        last = event.id;
        if (event.name === "reset") terminal.note("It was away for too long: calls of that time are not shown.");
        if (event.name === "generation") yield JSON.parse(event.data) as Call;
      }
    } catch (error) {
      if (last === undefined || (error instanceof CommandError && error.exitCode !== EXIT.unreachable)) throw error;
    }
    if (!lost) terminal.note("The connection was lost: it is tried again until it is back.");
    lost = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

interface StreamEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

/** The events of a stream of server-sent events, as this collector writes them. */
async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [, id, name, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/m.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (id !== undefined) yield { id, name: name ?? "", data: data ?? "" };
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

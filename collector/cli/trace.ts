import { type Command, Option } from "commander";
import { type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { addList, smallResult } from "./list.ts";
import { type CliInput, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { writeRecord } from "./record.ts";
import { type WaterfallSpan, writeWaterfall } from "./waterfall.ts";

const tracePath = (id: string): string => `/api/traces/${encodeURIComponent(id)}`;

export function addTrace(program: Command, input: CliInput): void {
  const trace = program.command("trace").description("traces: what a request did, step by step");
  withExamples(trace, "genspan trace list --from -1h", "genspan trace show 4bf92f3577b34da6a3ce929d0e0e4736");
  addList(trace, input, {
    path: "/api/traces",
    columns: ["start_time", "trace_id", "name", "service_name", "status", "spans", "errors", "generations", "tokens_total", "duration_ms"],
    description: "list traces, newest first",
    examples: ["genspan trace list --from -1h", "genspan trace list -f service=shop -f status=error -o json"],
  });
  addShow(trace, input);
  addExport(trace, input);
  addCompare(trace, input);
}

interface Tree extends ApiRow {
  readonly spans: readonly WaterfallSpan[];
  readonly truncated: boolean;
}

const count = (number: unknown, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

function addShow(trace: Command, input: CliInput): void {
  const command = withOutput(withApi(trace.command("show"), input.env))
    .argument("<trace-id>", "32 hexadecimal digits, also with dashes")
    .description("a trace as a waterfall")
    .action((id: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const { spans, truncated, ...totals } = (await api.get(tracePath(id))) as Tree;
        if (flags.output !== "table" && flags.output !== "md")
          return writeRecord({ ...totals, truncated, spans }, flags.output, input.terminal);
        await writeWaterfall(input.terminal, spans);
        const { errors, generations, tokens_total: tokens } = totals;
        const counts = [
          count(spans.length, "span"),
          count(errors, "error"),
          count(generations, "model call"),
          count(tokens ?? "unknown", "token"),
        ];
        input.terminal.note(`${counts.join(", ")}${truncated ? "; the rest is not shown" : ""}.`);
      }),
    );
  withExamples(
    command,
    "genspan trace show 4bf92f3577b34da6a3ce929d0e0e4736",
    "genspan trace show 4bf92f3577b34da6a3ce929d0e0e4736 -o json",
  );
}

function addExport(trace: Command, input: CliInput): void {
  const command = withApi(trace.command("export"), input.env)
    .argument("<trace-id>", "32 hexadecimal digits")
    .description("a trace as it was received, as OTLP/JSON")
    .addOption(new Option("--format <format>", "form").choices(["otlp"]).default("otlp"))
    .action((id: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const { body } = await api.open(tracePath(id), new URLSearchParams({ format: "otlp" }));
        const decoder = new TextDecoder();
        for await (const chunk of body ?? []) await input.terminal.write(decoder.decode(chunk, { stream: true }));
        await input.terminal.write("\n");
      }),
    );
  withExamples(command, "genspan trace export 4bf92f3577b34da6a3ce929d0e0e4736 > trace.json");
}

function addCompare(trace: Command, input: CliInput): void {
  const columns = ["service_name", "name", "a_spans", "b_spans", "a_ms", "b_ms", "a_errors", "b_errors", "a_tokens", "b_tokens"];
  const command = withOutput(withApi(trace.command("compare"), input.env))
    .argument("<a>", "one trace")
    .argument("<b>", "the other")
    .description("the steps of two traces side by side")
    .action((a: string, b: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const { data } = (await api.get("/api/traces/compare", new URLSearchParams({ a, b }))) as { readonly data: readonly ApiRow[] };
        await writeResult(await smallResult(data, columns), flags.output, input.terminal);
      }),
    );
  withExamples(command, "genspan trace compare 4bf92f3577b34da6a3ce929d0e0e4736 4bf92f3577b34da6a3ce929d0e0e4736");
}

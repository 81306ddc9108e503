import type { Command } from "commander";
import { type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { addList, type FilterFlags, filterQuery, smallResult, withFilter } from "./list.ts";
import { type CliInput, positiveInteger, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { writeRecord } from "./record.ts";
import { isForPeople, pick, scalarsOf, writeSection } from "./show-table.ts";

const LIST_COLUMNS = [
  "started_at",
  "id",
  "kind",
  "status",
  "environment",
  "prompt_version",
  "items_requested",
  "items_inserted",
  "overall_success_rate",
  "approval_rate",
  "avg_arbiter_score",
  "duration_seconds",
];
const EXAMPLE_ID = "10000000-0000-4000-8000-000000000001";
const OTHER_ID = "10000000-0000-4000-8000-000000000002";

/** Batch runs. */
export function addRun(program: Command, input: CliInput): void {
  const run = program.command("run").description("batch runs");
  withExamples(run, "genspan run list --from -7d", "genspan run stats --from -30d", "genspan run stuck --fail-if-found");
  addList(run, input, {
    path: "/api/runs",
    columns: LIST_COLUMNS,
    description: "list runs, newest first",
    examples: [
      "genspan run list --from -7d",
      "genspan run list -f status=failed -f env=production",
      "genspan run list --sort=success_rate -o json",
    ],
  });
  addShow(run, input);
  addCompare(run, input);
  addStats(run, input);
  addTrend(run, input);
  addStuck(run, input);
  addMarkFailed(run, input);
}

const BREAKDOWNS = ["losses", "usage", "provider_metrics", "type_metrics", "difficulty_metrics", "error_summary"];

function addShow(run: Command, input: CliInput): void {
  const command = withOutput(withApi(run.command("show"), input.env))
    .argument("<id>", "uuid of the run, or the id that its application gave it")
    .description("one run with its breakdowns, and the items lost at each stage")
    .action((id: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const record = (await api.get(`/api/runs/${encodeURIComponent(id)}`)) as ApiRow;
        if (!isForPeople(flags.output)) return writeRecord(record, flags.output, input.terminal);
        await writeRecord(scalarsOf(record), flags.output, input.terminal);
        for (const name of BREAKDOWNS) {
          const values = Object.entries((record[name] ?? {}) as ApiRow).filter(([, value]) => value !== null);
          const rows = values.map(([key, value]) => ({ name: key, value: typeof value === "object" ? JSON.stringify(value) : value }));
          await writeSection(name, rows, { format: flags.output, terminal: input.terminal });
        }
      }),
    );
  withExamples(command, `genspan run show ${EXAMPLE_ID}`, `genspan run show ${EXAMPLE_ID} -o json`);
}

interface Comparison {
  readonly runs: readonly ApiRow[];
  readonly figures: readonly { name: string; values: readonly unknown[]; deltas: readonly unknown[]; verdicts: readonly unknown[] }[];
  readonly configuration: readonly { name: string; values: readonly unknown[]; differs: boolean }[];
}

function addCompare(run: Command, input: CliInput): void {
  const command = withOutput(withApi(run.command("compare"), input.env))
    .argument("<id...>", "two to four runs; the others are compared with the first")
    .description("runs beside each other")
    .action((ids: readonly string[], flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const answer = (await api.get(
          "/api/runs/compare",
          new URLSearchParams(ids.map((id): [string, string] => ["id", id])),
        )) as Comparison;
        if (flags.output === "json") return writeRecord(answer as unknown as ApiRow, flags.output, input.terminal);
        await writeResult(await smallResult(comparedRows(answer), ["name"]), flags.output, input.terminal);
      }),
    );
  withExamples(command, `genspan run compare ${EXAMPLE_ID} ${OTHER_ID}`, `genspan run compare ${EXAMPLE_ID} ${OTHER_ID} -o csv`);
}

/** A line per figure and setting; behind each later run how it differs from the first. */
function comparedRows({ figures, configuration }: Comparison): ApiRow[] {
  const beside = (values: readonly unknown[]) => Object.fromEntries(values.map((value, i) => [`run_${i + 1}`, value]));
  const differences = (deltas: readonly unknown[], verdicts: readonly unknown[]) =>
    Object.fromEntries(
      deltas.slice(1).flatMap((delta, i) => [
        [`delta_${i + 2}`, delta],
        [`verdict_${i + 2}`, verdicts[i + 1]],
      ]),
    );
  return [
    ...figures.map(({ name, values, deltas, verdicts }) => ({ name, ...beside(values), ...differences(deltas, verdicts) })),
    ...configuration
      .filter(({ differs }) => differs)
      .map(({ name, values }) => ({
        name,
        ...beside(values),
        ...differences(
          values.map(() => null),
          values.map((value) => (value === values[0] ? "equal" : "different")),
        ),
      })),
  ];
}

const PROVIDER_COLUMNS = ["provider", "runs", "generated", "evaluated", "approved", "approval_rate", "api_calls", "failure_rate"];

function addStats(run: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(run.command("stats"), input.env)))
    .description("totals, providers, errors, prompt versions and trends of the runs of a period")
    .action((flags: FilterFlags) =>
      useApi(input, flags, async (api) => {
        const stats = (await api.get("/api/runs/stats", filterQuery(flags))) as ApiRow;
        const { terminal } = input;
        if (!isForPeople(flags.output)) return writeRecord(stats, flags.output, terminal);
        const form = { format: flags.output, terminal };
        const { trend_rule: _rule, ...totals } = scalarsOf(stats);
        await writeRecord(totals, flags.output, terminal);
        await writeSection("providers", pick(stats["providers"] as ApiRow[], PROVIDER_COLUMNS), form);
        await writeSection("errors", stats["errors"] as ApiRow[], form);
        await writeSection("prompt versions", stats["prompt_versions"] as ApiRow[], form);
        await writeSection(
          "trends",
          Object.entries(stats["trends"] as ApiRow).map(([metric, trend]) => ({ metric, ...(trend as ApiRow) })),
          form,
        );
      }),
    );
  withExamples(command, "genspan run stats --from -30d", "genspan run stats --from -7d -f env=production -o json");
}

function addTrend(run: Command, input: CliInput): void {
  const command = withOutput(withFilter(withApi(run.command("trend"), input.env)))
    .argument("[metric]", "avg_arbiter_score, approval_rate, overall_success_rate …", "avg_arbiter_score")
    .description("how a metric changes by the day: improving, declining or flat")
    .action((metric: string, flags: FilterFlags) =>
      useApi(input, flags, async (api) => {
        const query = filterQuery(flags);
        query.set("metric", metric);
        const answer = (await api.get("/api/runs/trend", query)) as ApiRow & { days: ApiRow[] };
        if (!isForPeople(flags.output)) return writeRecord(answer, flags.output, input.terminal);
        await writeResult(await smallResult(answer.days, ["day", "runs", "value"]), flags.output, input.terminal);
        input.terminal.note(`${metric} is ${answer["direction"]} over ${answer["runs"]} runs.`);
      }),
    );
  withExamples(command, "genspan run trend --from -30d", "genspan run trend approval_rate --from -90d -f kind=questions -o json");
}

function addStuck(run: Command, input: CliInput): void {
  const command = withOutput(withApi(run.command("stuck"), input.env))
    .description("runs that should have ended long ago")
    .option("--at-least <seconds>", "what any run may take", positiveInteger)
    .option("--fail-if-found", "exit code 10 when there are any, for cron and CI")
    .action((flags: ApiFlags & { atLeast?: number; failIfFound?: true }) =>
      useApi(input, flags, async (api) => {
        const query = new URLSearchParams(flags.atLeast === undefined ? [] : [["at_least", String(flags.atLeast)]]);
        const { data } = (await api.get("/api/runs/stuck", query)) as { data: readonly ApiRow[] };
        const columns = ["id", "kind", "started_at", "running_seconds", "allowed_seconds", "median_seconds", "environment"];
        const rows = isForPeople(flags.output) ? pick(data, columns) : data;
        await writeResult(await smallResult(rows, columns), flags.output, input.terminal);
        if (flags.failIfFound === true && data.length > 0)
          throw new CommandError(EXIT.finding, data.length === 1 ? "One run is stuck." : `${data.length} runs are stuck.`);
      }),
    );
  withExamples(command, "genspan run stuck", "genspan run stuck --at-least 3600 --fail-if-found");
}

function addMarkFailed(run: Command, input: CliInput): void {
  const command = withOutput(withApi(run.command("mark-failed"), input.env))
    .argument("<id>", "uuid of the run, or the id that its application gave it")
    .description("mark a run failed that will not end; its own report, should it still come, replaces the mark")
    .option("--reason <text>", "for the audit log")
    .action((id: string, flags: ApiFlags & { reason?: string }) =>
      useApi(input, flags, async (api) => {
        const body = flags.reason === undefined ? {} : { reason: flags.reason };
        const answer = (await api.send("POST", `/api/runs/${encodeURIComponent(id)}/mark-failed`, body)) as ApiRow;
        await writeRecord(answer, flags.output, input.terminal);
      }),
    );
  withExamples(command, "genspan run mark-failed 10000000-0000-4000-8000-000000000009 --reason 'the machine was replaced'");
}

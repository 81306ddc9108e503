import { z } from "@hono/zod-openapi";
import { submitRun } from "../../commands/runs.ts";
import { RUN_STATUSES, toQuestionNames } from "../../model/run-report.ts";
import { MAX_COUNTED } from "../../query/count-rows.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { listRuns } from "../../query/runs/list.ts";
import { RUNS } from "../../query/runs/noun.ts";
import { readRun } from "../../query/runs/one.ts";
import { runStats } from "../../query/runs/stats.ts";
import type { Api } from "../route.ts";
import { RunBody, reportOfBody } from "../run-body.ts";
import { promptVersion, runDetail, runStats as runStatsShape, runSummary, underQuestionNames } from "../run-shapes.ts";
import { filterParameters, type QueryParameter } from "../schemas.ts";

const PATH = "/v1/admin/generation-runs";
const TAG = "generation-runs";
/** Of all pages. */
const total = z
  .int()
  .nullable()
  .openapi({ description: `rows of all pages; null beyond ${MAX_COUNTED}` });

/** Names under which the question service filters, beside those of every list. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["environment", "env"],
  ["prompt_version", "version"],
  ["triggered_by", "trigger"],
  ["min_success_rate", "min_success"],
  ["max_success_rate", "max_success"],
  ["started_after", "from"],
  ["started_before", "to"],
]);

const parameters: readonly QueryParameter[] = [
  ...filterParameters(RUNS),
  ...[...OTHER_NAMES].map(([name, known]) => ({ name, description: `the same as ${known}` })),
];

function knownName(key: string): string {
  const not = key.startsWith("-") ? "-" : "";
  const name = key.slice(not.length);
  return not + (OTHER_NAMES.get(name) ?? name);
}

const underKnownNames = (query: URLSearchParams): URLSearchParams =>
  new URLSearchParams([...query].map(([key, value]): [string, string] => [knownName(key), value]));

const RunSummary = z.object(underQuestionNames(runSummary)).openapi("GenerationRunSummary");
const RunDetail = z.object(underQuestionNames(runDetail)).openapi("GenerationRun");
const RunStats = z
  .object({ ...underQuestionNames(runStatsShape), prompt_versions: z.array(z.object(underQuestionNames(promptVersion))) })
  .openapi("GenerationRunStats");

/** Batch runs as the question service knows them: questions_* in and out. */
export function generationRunRoutes({ route, services: { reader, writer } }: Api): void {
  route(
    {
      method: "post",
      path: PATH,
      tag: TAG,
      summary: "Report a run: its beginning, its progress or its end",
      description:
        "Idempotent by `id`: the same report again changes nothing, a later one overrides what it names, and a run that has ended does not run again. Rates that are left out are computed. Answers 201 for a new run, 200 for a known one.",
      scope: ["ingest", "admin"],
      body: RunBody,
      status: 201,
      answer: z.object({ id: z.guid(), status: z.enum(RUN_STATUSES), created: z.boolean() }),
    },
    async ({ projectId, body, context }) => {
      const run = await submitRun(writer, { projectId, ...reportOfBody(body) });
      return context.json(run, run.created ? 201 : 200, { "Cache-Control": "no-store" });
    },
  );
  route(
    {
      method: "get",
      path: PATH,
      tag: TAG,
      summary: "Runs, newest first, without their breakdowns",
      scope: "read",
      query: parameters,
      answer: z.object({ data: z.array(RunSummary), next: z.string().nullable(), total }),
    },
    async ({ projectId, query }) => {
      const { data, next, total } = await listRuns(reader, projectId, parseFilter(underKnownNames(query), RUNS));
      return { data: data.map(toQuestionNames), next, total };
    },
  );
  route(
    {
      method: "get",
      path: `${PATH}/stats`,
      tag: TAG,
      summary: "Totals, means, providers, errors, prompt versions and trends of the runs of a period",
      scope: "read",
      query: parameters.filter(({ name }) => !["sort", "limit", "after"].includes(name)),
      answer: RunStats,
    },
    async ({ projectId, query }) => {
      const stats = await runStats(reader, projectId, parseFilter(underKnownNames(query), RUNS));
      return { ...toQuestionNames(stats), prompt_versions: stats.prompt_versions.map(toQuestionNames) };
    },
  );
  route(
    {
      method: "get",
      path: `${PATH}/{id}`,
      tag: TAG,
      summary: "One run with its breakdowns, and the questions lost at each stage",
      scope: "read",
      params: z.object({ id: z.string().max(1_000) }),
      answer: RunDetail,
    },
    async ({ projectId, params }) => toQuestionNames(await readRun(reader, projectId, params.id)),
  );
}

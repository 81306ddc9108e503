import { z } from "@hono/zod-openapi";
import { markRunFailed } from "../../commands/runs.ts";
import { MAX_COUNTED } from "../../query/count-rows.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { compareRuns } from "../../query/runs/compare.ts";
import { listRuns } from "../../query/runs/list.ts";
import { RUNS } from "../../query/runs/noun.ts";
import { readRun } from "../../query/runs/one.ts";
import { type Api, onlyKeys } from "../route.ts";
import { runDetail, runRow, runSummary } from "../run-shapes.ts";
import { filterParameters } from "../schemas.ts";

const TAG = "runs";
/** Of all pages. */
const total = z
  .int()
  .nullable()
  .openapi({ description: `rows of all pages; null beyond ${MAX_COUNTED}` });
const RunSummary = z.object(runSummary).openapi("RunSummary");
const id = z.object({ id: z.string().max(1_000) });
const nullableNumber = z.number().nullable();

/** Batch runs under general names. */
export function runRoutes({ route, services: { reader, writer } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/runs",
      tag: TAG,
      summary: "Runs, newest first, without their breakdowns",
      scope: "read",
      query: filterParameters(RUNS),
      answer: z.object({ data: z.array(RunSummary), next: z.string().nullable(), total }),
    },
    ({ projectId, query }) => listRuns(reader, projectId, parseFilter(query, RUNS)),
  );
  route(
    {
      method: "get",
      path: "/api/runs/compare",
      tag: TAG,
      summary: "Two to four runs beside each other, the others against the first",
      refusals: [404],
      scope: "read",
      query: [{ name: "id", description: "a run, by its uuid or its own id; two to four of them, in the order wanted", repeated: true }],
      answer: z.object({
        runs: z.array(z.object(runRow)),
        figures: z.array(
          z.object({
            name: z.string(),
            values: z.array(nullableNumber),
            deltas: z.array(nullableNumber),
            verdicts: z.array(z.enum(["better", "worse", "equal", "different"]).nullable()),
          }),
        ),
        configuration: z.array(
          z.object({ name: z.string(), values: z.array(z.union([z.string(), z.number(), z.null()])), differs: z.boolean() }),
        ),
      }),
    },
    ({ projectId, query }) => {
      onlyKeys(query, ["id"]);
      return compareRuns(reader, projectId, query.getAll("id"));
    },
  );
  route(
    {
      method: "get",
      path: "/api/runs/{id}",
      tag: TAG,
      summary: "One run with its breakdowns, the items lost at each stage, and what its model calls came to",
      scope: "read",
      params: id,
      answer: z.object(runDetail).openapi("Run"),
    },
    ({ projectId, params }) => readRun(reader, projectId, params.id),
  );
  route(
    {
      method: "post",
      path: "/api/runs/{id}/mark-failed",
      tag: TAG,
      summary: "Mark a run failed that will not end; its own report, should it still come, replaces the mark",
      refusals: [409],
      scope: "admin",
      params: id,
      body: z.strictObject({ reason: z.string().max(1_000).optional() }),
      answer: z.object({ id: z.guid(), status: z.literal("failed") }),
    },
    async ({ projectId, actor, params, body: { reason } }) => {
      const run = await markRunFailed(writer, { projectId, actor, id: params.id, ...(reason === undefined ? {} : { reason }) });
      return { id: run.id, status: run.status };
    },
  );
}

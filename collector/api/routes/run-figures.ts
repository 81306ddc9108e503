import { z } from "@hono/zod-openapi";
import { parseFilter } from "../../query/filter/parse.ts";
import { RUNS } from "../../query/runs/noun.ts";
import { runStats } from "../../query/runs/stats.ts";
import { streakBelow } from "../../query/runs/streak.ts";
import { STUCK_AT_LEAST_SECONDS, STUCK_RULE, stuckRuns } from "../../query/runs/stuck.ts";
import { TREND_METRICS, TREND_RULE, type TrendMetric, trendByDay } from "../../query/runs/trend.ts";
import { queryValue } from "../query-value.ts";
import { type Api, onlyKeys } from "../route.ts";
import { promptVersion, runStats as runStatsShape, runSummary, trend } from "../run-shapes.ts";
import { exactNumber, filterParameters, type QueryParameter, time } from "../schemas.ts";

const TAG = "runs";
const METRICS = Object.keys(TREND_METRICS) as [TrendMetric, ...TrendMetric[]];
const metricParameter: QueryParameter = { name: "metric", description: METRICS.join(", "), example: "avg_arbiter_score" };
const selection = filterParameters(RUNS).filter(({ name }) => !["sort", "limit", "after"].includes(name));
const nullableNumber = z.number().nullable();

/** What is said of many runs at once. Before the routes of one run: `stats` is no id. */
export function runFigureRoutes({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/runs/stats",
      tag: TAG,
      summary: "Totals, means, providers, errors, prompt versions and trends of the runs of a period",
      description:
        "Shares are of the sums over all runs. Providers come best first, by the share of their evaluated items that was approved.",
      scope: "read",
      query: selection,
      answer: z.object({ ...runStatsShape, prompt_versions: z.array(z.object(promptVersion)) }).openapi("RunStats"),
    },
    ({ projectId, query }) => runStats(reader, projectId, parseFilter(query, RUNS)),
  );
  route(
    {
      method: "get",
      path: "/api/runs/trend",
      tag: TAG,
      summary: "How a metric changes over the runs of a period: improving, declining or flat, with its days",
      description: TREND_RULE,
      scope: "read",
      query: [metricParameter, ...selection],
      answer: z.object({
        metric: z.enum(METRICS),
        rule: z.string(),
        ...trend,
        days: z.array(z.object({ day: z.string(), runs: exactNumber, value: nullableNumber })),
      }),
    },
    ({ projectId, query }) => {
      const metric = queryValue(query, "metric", z.enum(METRICS).default("avg_arbiter_score"));
      return trendByDay(reader, projectId, { metric, filter: parseFilter(query, RUNS, { others: ["metric"] }) });
    },
  );
  route(
    {
      method: "get",
      path: "/api/runs/streak",
      tag: TAG,
      summary: "Whether the last finished runs, one after the other, all lie below a bound",
      scope: "read",
      query: [
        metricParameter,
        { name: "below", description: "the bound, 0.5 unless told", example: "0.5" },
        { name: "runs", description: "how many runs, 3 unless told", example: "3" },
        ...selection,
      ],
      answer: z.object({
        metric: z.enum(METRICS),
        below: z.number(),
        runs: z.number(),
        reached: z.boolean(),
        length: z.number(),
        data: z.array(z.object(runSummary)),
      }),
    },
    ({ projectId, query }) =>
      streakBelow(reader, projectId, {
        metric: queryValue(query, "metric", z.enum(METRICS).default("overall_success_rate")),
        below: queryValue(query, "below", z.coerce.number().default(0.5)),
        runs: queryValue(query, "runs", z.coerce.number().int().min(1).max(100).default(3)),
        filter: parseFilter(query, RUNS, { others: ["metric", "below", "runs"] }),
      }),
  );
  route(
    {
      method: "get",
      path: "/api/runs/stuck",
      tag: TAG,
      summary: "Runs that should have ended long ago, longest running first",
      description: STUCK_RULE,
      scope: "read",
      query: [{ name: "at_least", description: `seconds that any run may take, ${STUCK_AT_LEAST_SECONDS} unless told`, example: "600" }],
      answer: z.object({
        rule: z.string(),
        data: z.array(
          z.object({
            ...runSummary,
            updated_at: time,
            running_seconds: z.number(),
            allowed_seconds: z.number(),
            median_seconds: nullableNumber,
          }),
        ),
      }),
    },
    async ({ projectId, query }) => {
      onlyKeys(query, ["at_least"]);
      const atLeast = queryValue(query, "at_least", z.coerce.number().min(0).max(1e9).default(STUCK_AT_LEAST_SECONDS));
      return { rule: STUCK_RULE, data: await stuckRuns(reader, projectId, atLeast) };
    },
  );
}

import { z } from "@hono/zod-openapi";
import { parseFilter } from "../../query/filter/parse.ts";
import { GENERATIONS } from "../../query/generations/noun.ts";
import { GROUPINGS, readGroupings } from "../../query/generations/statistics.ts";
import { readUsage } from "../../query/usage/read.ts";
import type { Api } from "../route.ts";
import { filterParameters, time } from "../schemas.ts";
import { GenerationStatistics, truncated } from "../shapes.ts";

const RANGE_MS = 30 * 86_400_000;

/** The second after now; calls of clocks that run ahead are told where somebody asks for them. */
function endOf(now: Date, from: string | undefined): Date {
  const second = Math.ceil((now.getTime() + 1) / 1000) * 1000;
  const began = Date.parse(from ?? "");
  return new Date(began >= second ? began + RANGE_MS : second);
}

/** What was used: tokens, cost, latency and errors over time. */
export function usageRoutes({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/usage",
      tag: "usage",
      summary: "Tokens, cost, latency and errors by model, provider, version, user, day …",
      description:
        "Without from, the last thirty days; without to, until now, or thirty days on where from lies ahead. Counts, tokens and costs are exact. Percentiles are exact with source `rows`, and within two and a half per cent with source `rollup`.",
      scope: "read",
      query: [
        {
          name: "by",
          description: `${Object.keys(GROUPINGS).join(", ")}; several with commas or repeated`,
          repeated: true,
          example: "model,day",
        },
        ...filterParameters(GENERATIONS).filter(({ name }) => !["sort", "limit", "after"].includes(name)),
      ],
      answer: z.object({ from: time, to: time, source: z.enum(["rollup", "rows"]), data: z.array(GenerationStatistics), truncated }),
    },
    ({ projectId, query }) => {
      const now = new Date();
      const filter = parseFilter(query, GENERATIONS, { now, others: ["by"] });
      const to = filter.to ?? endOf(now, filter.from).toISOString();
      const from = filter.from ?? new Date(Date.parse(to) - RANGE_MS).toISOString();
      return readUsage(reader, projectId, { filter: { ...filter, from, to }, by: readGroupings(query) });
    },
  );
}

import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { type Filter, parseFilter } from "../../query/filter/parse.ts";
import { GENERATIONS } from "../../query/generations/noun.ts";
import { comparePrompts, shown } from "../../query/prompts/compare.ts";
import { listPrompts, readVersions } from "../../query/prompts/versions.ts";
import type { Api } from "../route.ts";
import { filterParameters, time } from "../schemas.ts";
import { Difference, float, Modules, number, TextDiff, text } from "../shapes.ts";

const tag = "prompts";
const name = z.object({ name: z.string().openapi({ description: "name of the prompt template", example: "quiz" }) });
const keys = filterParameters(GENERATIONS).filter((each) => !["sort", "limit", "after", "prompt"].includes(each.name));

const PromptSummary = z
  .object({ name: z.string(), versions: z.number(), latest_version: text, generations: z.number(), first_seen: time, last_seen: time })
  .openapi("PromptSummary");

const PromptVersion = z
  .object({
    version: text,
    first_seen: time,
    last_seen: time,
    generations: z.number(),
    ended: z.number(),
    succeeded: z.number(),
    success_rate: float,
    reviewed: z.number(),
    approved: z.number(),
    approval_rate: float,
    avg_tokens_prompt: float,
    avg_tokens_completion: float,
    avg_tokens_reasoning: float,
    avg_tokens: float,
    p50_duration_ms: float,
    p95_duration_ms: float,
    cost_amount: number,
    cost_currency: text,
    cost_per_call: float,
    cost_per_approved: float,
    models: z.array(z.string()),
    texts: z.number(),
    drift: z.boolean().nullable(),
  })
  .openapi("PromptVersion");

const MetricChange = z
  .object({
    metric: z.enum(["success_rate", "approval_rate", "duration_ms", "tokens_total", "cost_per_call"]),
    a: float,
    b: float,
    a_size: z.number(),
    b_size: z.number(),
    verdict: z.enum(["too_few", "different", "noise"]),
    p: float,
  })
  .openapi("MetricChange");

const PromptComparison = z
  .object({
    a: PromptVersion,
    b: PromptVersion,
    changes: z.array(MetricChange),
    text: TextDiff,
    parameters: z.array(Difference),
    modules: Modules,
    pairs: z.array(
      z.object({ entity_type: z.string(), entity_id: z.string(), a_id: z.string(), b_id: z.string(), a_response: text, b_response: text }),
    ),
  })
  .openapi("PromptComparison");

/** Prompt templates as the data show them: versions, drift, and how each did. */
export function promptRoutes({ route, services: { reader } }: Api): void {
  const filterOf = (query: URLSearchParams, others: readonly string[] = []): Filter => parseFilter(query, GENERATIONS, { others });
  route(
    {
      method: "get",
      path: "/api/prompts",
      tag,
      summary: "Prompt templates named in the data, the latest used first",
      scope: "read",
      query: keys,
      answer: z.object({ data: z.array(PromptSummary) }),
    },
    async ({ projectId, query }) => ({ data: await listPrompts(reader, { projectId, filter: filterOf(query) }) }),
  );
  route(
    {
      method: "get",
      path: "/api/prompts/{name}",
      tag,
      summary: "The versions of a prompt with their numbers",
      description:
        "`drift` is true where one version was used with several texts, null where its texts vary with their inputs and no variables are known.",
      scope: "read",
      params: name,
      query: keys,
      answer: z.object({ name: z.string(), versions: z.array(PromptVersion) }),
    },
    async ({ projectId, params, query }) => {
      const versions = await readVersions(reader, params.name, { projectId, filter: filterOf(query) });
      return { name: params.name, versions: versions.map(shown) };
    },
  );
  route(
    {
      method: "get",
      path: "/api/prompts/{name}/compare",
      tag,
      summary: "What changed between two versions, and whether the difference is more than noise",
      scope: "read",
      params: name,
      query: [{ name: "a", description: "the one version, (none) for calls without" }, { name: "b", description: "the other" }, ...keys],
      answer: PromptComparison,
    },
    ({ projectId, params, query }) => {
      const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
      if (a === "" || b === "") throw new RequestError("bad_request", "give two versions: a=2.0&b=2.1");
      return comparePrompts(reader, params.name, [a, b], { projectId, filter: filterOf(query, ["a", "b"]) });
    },
  );
}

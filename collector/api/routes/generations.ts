import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { compareGenerations } from "../../query/generations/compare.ts";
import { listGenerations } from "../../query/generations/list.ts";
import { GENERATIONS } from "../../query/generations/noun.ts";
import { type CallSources, readGeneration, readSources } from "../../query/generations/one.ts";
import { findCall, readReference } from "../../query/generations/reference.ts";
import { GROUPINGS, generationStatistics, readGroupings } from "../../query/generations/statistics.ts";
import { readOtlpText } from "../../query/traces/otlp.ts";
import { provenanceOf } from "../provenance.ts";
import { type Api, onlyKeys } from "../route.ts";
import { filterParameters, pageOf } from "../schemas.ts";
import { GenerationComparison, GenerationDetail, GenerationStatistics, GenerationSummary, truncated } from "../shapes.ts";

const tag = "generations";
const id = z.object({
  id: z
    .string()
    .openapi({ description: "traceid-spanid, the column id of generation_logs", example: `${"0".repeat(31)}1-${"0".repeat(15)}1` }),
});

/** Model calls: lists, numbers, and one by one. */
export function generationRoutes(api: Api): void {
  addLists(api);
  addDetails(api);
}

function addLists({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/generations",
      tag,
      summary: "Model calls, newest first, with the beginnings of their texts",
      scope: "read",
      query: filterParameters(GENERATIONS),
      answer: pageOf(GenerationSummary),
    },
    ({ projectId, query }) => listGenerations(reader, projectId, parseFilter(query, GENERATIONS)),
  );
  route(
    {
      method: "get",
      path: "/api/generations/stats",
      tag,
      summary: "Numbers of the calls that a filter selects, by up to three groupings",
      description: "Exact, from the rows themselves. For long ranges without a filter, /api/usage answers faster.",
      scope: "read",
      query: [
        {
          name: "by",
          description: `${Object.keys(GROUPINGS).join(", ")}; several with commas or repeated`,
          repeated: true,
          example: "model",
        },
        ...filterParameters(GENERATIONS).filter(({ name }) => !["sort", "limit", "after"].includes(name)),
      ],
      answer: z.object({ data: z.array(GenerationStatistics), truncated }),
    },
    ({ projectId, query }) => {
      const filter = parseFilter(query, GENERATIONS, { others: ["by"] });
      return generationStatistics(reader, projectId, { filter, by: readGroupings(query) });
    },
  );
  route(
    {
      method: "get",
      path: "/api/generations/compare",
      tag,
      summary: "How two calls differ: parameters, results, modules, and texts line by line",
      refusals: [404],
      scope: "read",
      query: [
        { name: "a", description: "id of the one call" },
        { name: "b", description: "id of the other" },
      ],
      answer: GenerationComparison,
    },
    async ({ projectId, query }) => {
      onlyKeys(query, ["a", "b"]);
      const find = (name: string) => findCall(reader, projectId, query.get(name) ?? "");
      return compareGenerations(reader, projectId, [await find("a"), await find("b")]);
    },
  );
}

const withoutSpan = ({ announced }: CallSources): string =>
  announced ? "this call was announced, and its own span has not come" : "this call was imported without a span";

const CONTENTS = {
  prompt: "prompt_full_text",
  response: "response_full_text",
  reasoning: "reasoning_content",
  system: "system_instructions",
} as const;

function addDetails({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/generations/{id}",
      tag,
      summary: "Everything known about one call",
      scope: "read",
      params: id,
      answer: GenerationDetail,
    },
    async ({ projectId, params }) => {
      return readGeneration(reader, projectId, await findCall(reader, projectId, params.id));
    },
  );
  route(
    {
      method: "get",
      path: "/api/generations/{id}/content/{which}",
      tag,
      summary: "One text of a call, byte for byte",
      scope: "read",
      params: id.extend({ which: z.enum(["prompt", "response", "reasoning", "system"]) }),
      answer: z.string(),
      answerType: "text/plain",
    },
    async ({ projectId, params, context }) => {
      const generation = await readGeneration(reader, projectId, await findCall(reader, projectId, params.id));
      const content = generation[CONTENTS[params.which]];
      if (typeof content !== "string") throw new RequestError("not_found", `nothing is known of the ${params.which} of this call`);
      return context.text(content, 200, {
        "Content-Disposition": `attachment; filename="${params.which}.txt"`,
        "Cache-Control": "no-store",
      });
    },
  );
  route(
    {
      method: "get",
      path: "/api/generations/{id}/span",
      tag,
      summary: "The call's span as it was received, as one request of OTLP/JSON",
      scope: "read",
      params: id,
      answer: z.object({ resourceSpans: z.array(z.looseObject({})) }),
    },
    async ({ projectId, params, context }) => {
      const ref = readReference(params.id);
      const otlp = await readOtlpText(reader, projectId, ref);
      if (otlp === undefined) throw new RequestError("not_found", withoutSpan(await readSources(reader, projectId, ref)));
      return context.body(otlp, 200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    },
  );
  route(
    {
      method: "get",
      path: "/api/generations/{id}/provenance",
      tag,
      summary: "Which attribute each value of the call came from",
      scope: "read",
      params: id,
      answer: z.object({
        role: z.string(),
        dialect: z.string().nullable(),
        filled_from: z
          .record(z.string(), z.string())
          .openapi({ description: "what other spans and log records added, by group of columns" }),
        origins: z.array(z.object({ concept: z.string().optional(), source: z.string(), value: z.unknown() })),
      }),
    },
    async ({ projectId, params }) => {
      const ref = await findCall(reader, projectId, params.id);
      const { filled_from, announced } = await readSources(reader, projectId, ref);
      const otlp = await readOtlpText(reader, projectId, ref);
      const unknown = { role: announced ? "announced" : "imported", dialect: null, origins: [] };
      return { filled_from, ...(otlp === undefined ? unknown : provenanceOf(otlp)) };
    },
  );
}

import { z } from "@hono/zod-openapi";
import { parseFilter } from "../../query/filter/parse.ts";
import { listGenerations } from "../../query/generations/list.ts";
import { GENERATION_STATUSES, GENERATIONS } from "../../query/generations/noun.ts";
import type { Api } from "../route.ts";
import { exactNumber, filterParameters, pageOf, time } from "../schemas.ts";

const text = z.string().nullable();

const GenerationSummary = z
  .object({
    id: z.string(),
    trace_id: z.string(),
    span_id: z.string(),
    start_time: time,
    generation_status: z.enum(GENERATION_STATUSES),
    service_name: text,
    environment: text,
    operation_name: text,
    provider_name: text,
    model_name: text,
    prompt_template_name: text,
    prompt_template_version: text,
    tokens_prompt: exactNumber.nullable(),
    tokens_completion: exactNumber.nullable(),
    tokens_reasoning: exactNumber.nullable(),
    tokens_total: exactNumber.nullable(),
    cost_amount: exactNumber.nullable(),
    cost_currency: text,
    duration_ms: z.number().nullable(),
    time_to_first_token_ms: z.number().nullable(),
    attempts_count: z.number().nullable(),
    response_finish_reason: text,
    error_type: text,
    error_message: text,
    run_id: text,
    item_id: text,
    conversation_id: text,
    user_id: text,
    entity_type: text,
    entity_id: text,
    quality_status: text,
    content_state: text,
    prompt_start: text,
    response_start: text,
  })
  .openapi("GenerationSummary");

/** Model calls. */
export function generationRoutes({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/generations",
      tag: "generations",
      summary: "Model calls, newest first, with the beginnings of their texts",
      scope: "read",
      query: filterParameters(GENERATIONS),
      answer: pageOf(GenerationSummary),
    },
    ({ projectId, query }) => listGenerations(reader, projectId, parseFilter(query, GENERATIONS)),
  );
}

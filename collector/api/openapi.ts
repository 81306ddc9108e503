import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { RouteSpec } from "./route.ts";
import { ErrorAnswer } from "./schemas.ts";

const failure = (description: string) => ({ description, content: { "application/json": { schema: ErrorAnswer } } });

const REFUSALS = {
  400: "a value is wrong: `faults` names each",
  401: "a key is required, or the given one is not valid",
  403: "the key lacks the scope, or the request comes from a page of another site",
  404: "there is no such thing in the key's project",
  409: "what is there does not allow it; the message says why",
  413: "the body, or what was selected, is too large",
  415: "the body is of another type or encoding than the route takes",
  429: "the key sends more than it may: come back after the time of Retry-After",
  503: "no answer in time (`query_timeout`: ask for less), or the database is away (`unavailable`: ask again)",
} as const;
type Refusal = keyof typeof REFUSALS;

/** Every status besides success that the route may answer with. */
function refusalsOf({ scope, params, body, refusals = [], createsByName }: RouteSpec): Refusal[] {
  const found: Refusal[] = [400, 401, 403, 503, ...refusals];
  if (params !== undefined && createsByName !== true) found.push(404);
  if (body !== undefined) found.push(413, 415);
  if ([scope].flat().includes("ingest")) found.push(429);
  return [...new Set(found)].toSorted((a, b) => a - b);
}

/** Puts a route into the OpenAPI document. */
export function describeRoute<P extends z.ZodObject, B extends z.ZodType>(app: OpenAPIHono, spec: RouteSpec<P, B>): void {
  const others = Object.fromEntries((spec.otherTypes ?? []).map((type) => [type, { schema: z.string() }]));
  const success = { description: spec.summary, content: { [spec.answerType ?? "application/json"]: { schema: spec.answer }, ...others } };
  app.openAPIRegistry.registerPath({
    method: spec.method,
    path: spec.path,
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    operationId: operationId(spec),
    security: [{ bearer: [] }, { serviceKey: [] }, { basic: [] }],
    "x-scope": [spec.scope].flat(),
    parameters: (spec.query ?? []).map(({ name, description, repeated, example }) => ({
      name,
      in: "query" as const,
      description,
      schema: repeated === true ? { type: "array" as const, items: { type: "string" as const } } : { type: "string" as const },
      ...(repeated === true ? { style: "form" as const, explode: true } : {}),
      ...(example === undefined ? {} : { example }),
    })),
    request: {
      ...(spec.params === undefined ? {} : { params: spec.params }),
      ...(spec.body === undefined ? {} : { body: { content: { "application/json": { schema: spec.body } } } }),
    },
    responses: {
      [spec.status ?? 200]: success,
      ...Object.fromEntries(refusalsOf(spec).map((status) => [status, failure(REFUSALS[status])])),
    },
  });
}

/** `get /api/generations/{id}` → `getGenerationsById`. */
function operationId({ method, path }: Pick<RouteSpec, "method" | "path">): string {
  const words = path.split("/").filter((part) => part !== "" && part !== "api");
  return method + words.map((word) => capital(word.startsWith("{") ? `by-${word.slice(1, -1)}` : word)).join("");
}

const capital = (word: string): string => word.replace(/(^|[-_.])(\w)/g, (_all, _mark, letter: string) => letter.toUpperCase());

/** The document that /openapi.json shows. */
export const openApiInfo = (version: string) => ({
  openapi: "3.1.0" as const,
  info: {
    title: "genspan",
    version,
    description:
      "Model calls, traces, prompts, runs and images of generative-AI software. Lists take one grammar of filters: a repeated key means or, `-key=` means not, unknown keys are refused.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/" }],
});

export function describeSecurity(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  app.openAPIRegistry.registerComponent("securitySchemes", "basic", { type: "http", scheme: "basic", description: "the key as password" });
  app.openAPIRegistry.registerComponent("securitySchemes", "serviceKey", { type: "apiKey", in: "header", name: "X-Service-Key" });
}

import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { compareTraces } from "../../query/traces/compare.ts";
import { listTraces } from "../../query/traces/list.ts";
import { TRACES } from "../../query/traces/noun.ts";
import { readOtlp } from "../../query/traces/otlp.ts";
import { readSpan, readTree } from "../../query/traces/tree.ts";
import { type Api, onlyKeys } from "../route.ts";
import { exactNumber, filterParameters, pageOf, time } from "../schemas.ts";
import { anyRow, float, number, text } from "../shapes.ts";

const tag = "traces";
const status = z.enum(["unset", "ok", "error"]);
const traceId = z
  .string()
  .openapi({ description: "32 hexadecimal digits, in either case, also written with dashes", example: `${"0".repeat(31)}1` });

const TraceSummary = z
  .object({
    trace_id: z.string(),
    start_time: time,
    name: z.string(),
    service_name: z.string(),
    status,
    duration_ms: float,
    spans: z.number(),
    errors: z.number(),
    services: z.array(z.string()),
    generations: z.number(),
    tokens_total: number,
    cost_amount: number,
    cost_currency: text,
  })
  .openapi("TraceSummary");

const TreeSpan = z
  .object({
    span_id: z.string(),
    parent_span_id: text,
    name: z.string(),
    kind: z.number(),
    service_name: z.string(),
    start_unix_nano: z.string(),
    duration_ns: number,
    status,
    status_message: text,
    events: z.number(),
    links: z.number(),
    depth: z.number(),
    orphan: z.boolean(),
    late: z.boolean(),
    generation: z.object({ id: z.string(), status: z.string(), model: text, tokens: number, cost: number, currency: text }).nullable(),
  })
  .openapi("TreeSpan");

const TraceTree = z
  .object({
    trace_id: z.string(),
    start_time: time,
    duration_ns: exactNumber,
    spans: z.array(TreeSpan),
    errors: z.number(),
    services: z.array(z.string()),
    generations: z.number(),
    tokens_total: number,
    cost_amount: number,
    cost_currency: text,
    truncated: z.boolean(),
  })
  .openapi("TraceTree");

const StepComparison = z.object({
  service_name: z.string(),
  name: z.string(),
  a_spans: z.number(),
  b_spans: z.number(),
  a_ms: float,
  b_ms: float,
  a_errors: z.number(),
  b_errors: z.number(),
  a_tokens: number,
  b_tokens: number,
});

/** A trace id as people paste it: in upper case, or as a UUID. Throws RequestError for what is none. */
function readTraceId(given: string): string {
  const id = given.toLowerCase().replaceAll("-", "");
  if (/^[0-9a-f]{32}$/.test(id)) return id;
  throw new RequestError("bad_request", "a trace is named by 32 hexadecimal digits");
}

/** Traces: lists, trees, and as they were received. */
export function traceRoutes(api: Api): void {
  addLists(api);
  addDetails(api);
}

function addLists({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/traces",
      tag,
      summary: "Traces, newest first",
      scope: "read",
      query: filterParameters(TRACES),
      answer: pageOf(TraceSummary),
    },
    ({ projectId, query }) => listTraces(reader, projectId, parseFilter(query, TRACES)),
  );
  route(
    {
      method: "get",
      path: "/api/traces/compare",
      tag,
      summary: "The steps of two traces side by side",
      refusals: [404],
      scope: "read",
      query: [
        { name: "a", description: "the one trace" },
        { name: "b", description: "the other" },
      ],
      answer: z.object({ data: z.array(StepComparison) }),
    },
    async ({ projectId, query }) => {
      onlyKeys(query, ["a", "b"]);
      return { data: await compareTraces(reader, projectId, [readTraceId(query.get("a") ?? ""), readTraceId(query.get("b") ?? "")]) };
    },
  );
}

function addDetails({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/traces/{traceId}",
      tag,
      summary: "A trace as a tree of spans; with format=otlp as it was received",
      scope: "read",
      params: z.object({ traceId }),
      query: [{ name: "format", description: "otlp: one request of OTLP/JSON with everything that was received", example: "otlp" }],
      answer: z.union([TraceTree, z.object({ resourceSpans: z.array(z.looseObject({})) })]),
    },
    async ({ projectId, params, query }) => {
      onlyKeys(query, ["format"]);
      const id = readTraceId(params.traceId);
      const format = query.get("format") ?? "";
      if (format === "") return readTree(reader, projectId, id);
      if (format !== "otlp") throw new RequestError("bad_request", "format is otlp or nothing");
      const otlp = await readOtlp(reader, projectId, { traceId: id });
      if (otlp === undefined) throw new RequestError("not_found", "there is no such trace in this project");
      const headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Content-Disposition": `attachment; filename="${id}.json"`,
      };
      return new Response(ReadableStream.from(encoded(otlp)), { headers });
    },
  );
  route(
    {
      method: "get",
      path: "/api/traces/{traceId}/spans/{spanId}",
      tag,
      summary: "One span with everything that is stored of it",
      scope: "read",
      params: z.object({ traceId, spanId: z.string().regex(/^[0-9a-fA-F]{16}$/, "a span is named by 16 hexadecimal digits") }),
      answer: anyRow,
    },
    ({ projectId, params }) => {
      return readSpan(reader, projectId, { traceId: readTraceId(params.traceId), spanId: params.spanId.toLowerCase() });
    },
  );
}

async function* encoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

import { createServer } from "node:http";
import postgres from "postgres";
import { GENERATION_LOGS, SPANS } from "../../collector/rows/table-spec.ts";
import { type AnyValue, type SpanObject, toObjects } from "./otlp-types.ts";

/** The obvious collector: a library decodes, one INSERT … VALUES per table and request writes, committed before the answer. */
const sql = postgres(process.argv[2] ?? "", { max: 8, onnotice: () => {} });

const plain = (value: AnyValue): unknown =>
  value.stringValue ??
  value.doubleValue ??
  value.boolValue ??
  (value.intValue === undefined ? value.arrayValue?.values.map(plain) : Number(value.intValue));

const MOVED = new Set(["gen_ai.input.messages", "gen_ai.output.messages"]);

function rowsOf(span: SpanObject) {
  const attributes = Object.fromEntries(span.attributes.map(({ key, value }) => [key, plain(value)]));
  const start = Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000;
  const end = Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000;
  const key = {
    project_id: 1,
    trace_id: Buffer.from(span.traceId, "base64").toString("hex"),
    span_id: Buffer.from(span.spanId, "base64").toString("hex"),
    start_time: new Date(start),
  };
  const kept = Object.fromEntries(Object.entries(attributes).filter(([name]) => !MOVED.has(name)));
  const row = {
    ...key,
    start_nano: 0,
    end_time: new Date(end),
    duration_ns: String(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)),
    name: span.name,
    kind: span.kind,
    service_name: "bench",
    status_code: 0,
    attributes: sql.json(kept as postgres.JSONValue),
    resource_id: "00000000-0000-0000-0000-000000000000",
    events: sql.json((span.events ?? null) as postgres.JSONValue),
    received_at: new Date(),
  };
  if (attributes["gen_ai.operation.name"] === undefined) return { row, generation: undefined };
  const generation = {
    ...key,
    end_time: new Date(end),
    service_name: "bench",
    dialect: "semconv",
    operation_name: attributes["gen_ai.operation.name"] as string,
    provider_name: attributes["gen_ai.provider.name"] as string,
    prompt_full_text: attributes["gen_ai.input.messages"] as string,
    prompt_format: "messages",
    model_name: attributes["gen_ai.request.model"] as string,
    model_temperature: attributes["gen_ai.request.temperature"] as number,
    model_max_tokens: attributes["gen_ai.request.max_tokens"] as number,
    response_model: attributes["gen_ai.response.model"] as string,
    response_full_text: attributes["gen_ai.output.messages"] as string,
    response_format: "messages",
    tokens_prompt: attributes["gen_ai.usage.input_tokens"] as number,
    tokens_completion: attributes["gen_ai.usage.output_tokens"] as number,
    duration_ms: end - start,
    response_id: attributes["gen_ai.response.id"] as string,
    generation_status: "success",
    content_state: "captured",
    logged_at: new Date(start),
    updated_at: new Date(end),
    received_at: new Date(),
  };
  return { row, generation };
}

async function store(body: Buffer): Promise<void> {
  const rows = toObjects(body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(rowsOf)));
  const generations = rows.flatMap(({ generation }) => generation ?? []);
  await sql.begin(async (tx) => {
    await tx`INSERT INTO ${tx(SPANS.name)} ${tx(rows.map(({ row }) => row))}`;
    if (generations.length > 0) await tx`INSERT INTO ${tx(GENERATION_LOGS.name)} ${tx(generations)}`;
  });
}

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    store(Buffer.concat(chunks)).then(
      () => response.writeHead(200).end(),
      () => response.writeHead(500).end(),
    );
  });
}).listen(0, "127.0.0.1", function (this: { address(): unknown }) {
  process.send?.((this.address() as { port: number }).port);
});

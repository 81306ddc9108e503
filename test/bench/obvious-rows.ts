import { type AnyValue, type SpanObject, toObjects } from "./otlp-types.ts";

const plain = (value: AnyValue): unknown =>
  value.stringValue ??
  value.doubleValue ??
  value.boolValue ??
  (value.intValue === undefined ? value.arrayValue?.values.map(plain) : Number(value.intValue));

/** Stored once, in the generation's row. */
const CONTENT = new Set(["gen_ai.input.messages", "gen_ai.output.messages"]);

/**
 * Rows of a request as the obvious way makes them: protobufjs gives objects, these become one object per row with the columns that the payloads fill.
 * `json` turns a value into what the driver takes for a jsonb column.
 */
export function obviousRows<J>(body: Uint8Array, json: (value: unknown) => J) {
  const spans = toObjects(body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return spans.map((span) => rowsOf(span, json));
}

function rowsOf<J>(span: SpanObject, json: (value: unknown) => J) {
  const attributes = Object.fromEntries(span.attributes.map(({ key, value }) => [key, plain(value)]));
  const start = timeOf(span.startTimeUnixNano);
  const end = timeOf(span.endTimeUnixNano);
  const key = { project_id: 1, trace_id: hex(span.traceId), span_id: hex(span.spanId), start_time: start };
  const parent = span.parentSpanId === undefined ? null : hex(span.parentSpanId);
  const row = {
    ...key,
    start_nano: Number(BigInt(span.startTimeUnixNano) % 1000n),
    end_time: end,
    end_nano: Number(BigInt(span.endTimeUnixNano) % 1000n),
    duration_ns: String(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)),
    parent_span_id: parent,
    name: span.name,
    kind: span.kind,
    service_name: "lesson-writer",
    status_code: 0,
    attributes: json(Object.fromEntries(Object.entries(attributes).filter(([name]) => !CONTENT.has(name)))),
    resource_id: "00000000-0000-0000-0000-000000000000",
    events: span.events === undefined ? null : json(span.events),
    received_at: new Date(),
  };
  if (attributes["gen_ai.operation.name"] === undefined) return { row, generation: undefined };
  const text = (name: string): string => attributes[name] as string;
  const number = (name: string): number => attributes[name] as number;
  const generation = {
    ...key,
    parent_span_id: parent,
    end_time: end,
    service_name: "lesson-writer",
    environment: "production",
    dialect: "semconv",
    operation_name: text("gen_ai.operation.name"),
    provider_name: text("gen_ai.provider.name"),
    prompt_full_text: text("gen_ai.input.messages"),
    prompt_format: "messages",
    prompt_template_name: text("gen_ai.prompt.name"),
    prompt_template_version: text("gen_ai.prompt.version"),
    model_name: text("gen_ai.request.model"),
    model_temperature: number("gen_ai.request.temperature"),
    model_top_p: number("gen_ai.request.top_p"),
    model_max_tokens: number("gen_ai.request.max_tokens"),
    response_model: text("gen_ai.response.model"),
    response_full_text: text("gen_ai.output.messages"),
    response_format: "messages",
    tokens_prompt: number("gen_ai.usage.input_tokens"),
    tokens_completion: number("gen_ai.usage.output_tokens"),
    tokens_total: number("gen_ai.usage.input_tokens") + number("gen_ai.usage.output_tokens"),
    duration_ms: end.getTime() - start.getTime(),
    response_id: text("gen_ai.response.id"),
    response_finish_reason: (attributes["gen_ai.response.finish_reasons"] as string[]).join(),
    conversation_id: text("gen_ai.conversation.id"),
    generation_status: "success",
    content_state: "captured",
    logged_at: start,
    updated_at: end,
    received_at: new Date(),
  };
  return { row, generation };
}

const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex");

/** To the millisecond: a JavaScript Date holds no more. */
const timeOf = (nanos: string): Date => new Date(Number(BigInt(nanos) / 1_000_000n));

import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import * as names from "../../sdk/attributes.ts";
import { type DialectKind, inDialect, isDialectKind } from "./dialect-payloads.ts";
import { prose } from "./prose.ts";
import { createRandom, type Random } from "./random.ts";

/** The loads of CONTRACT section 9, by OTLP bytes per span: plain 1 KB, genai 3.7 KB, genai10 12.7 KB, mix 70/25/5 of them. */
export const KINDS = ["plain", "genai", "genai10", "mix"] as const;
export type Kind = (typeof KINDS)[number];
/** `pending`: every span is a call as in genai, and a request before it announced its calls. Dialects: the calls of genai in other words. */
export type LoadKind = Kind | "pending" | DialectKind;
type SpanSort = Exclude<Kind, "mix">;

export const SPANS_PER_REQUEST = 512;

/** A finished span as the official exporters take it. */
export type FinishedSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

/** Start of the first span of every template; a copy that is sent is moved to the present. */
export const TEMPLATE_START_SECONDS = 1_750_000_000;

const CONTENT_BYTES = { genai: { prompt: 2_048, response: 820 }, genai10: { prompt: 10_240, response: 1_536 } };

/** Twenty spans of the mix (P plain, G genai, X genai10), in traces of four that begin with a plain span. */
const MIX = "PGPPPGPPPGPPPGPPPGXP";
const SORT_OF: Readonly<Record<string, SpanSort>> = { P: "plain", G: "genai", X: "genai10" };

const SPANS_PER_TRACE = 4;

const resource = resourceFromAttributes({
  [names.SERVICE_NAME]: "lesson-writer",
  [names.SERVICE_VERSION]: "4.11.2",
  [names.SERVICE_INSTANCE_ID]: "ac3497a7-da36-4573-a11f-d9ae56b2dedc",
  [names.DEPLOYMENT_ENVIRONMENT_NAME]: "production",
  "host.name": "worker-17",
  "telemetry.sdk.language": "nodejs",
  "telemetry.sdk.name": "opentelemetry",
  "telemetry.sdk.version": "3.1.0",
});
const instrumentationScope = { name: "@example/lesson-writer", version: "4.11.2" };

export function sortAt(kind: LoadKind, index: number): SpanSort {
  if (kind === "pending" || isDialectKind(kind)) return "genai";
  return kind === "mix" ? SORT_OF[MIX.charAt(index % MIX.length)]! : kind;
}

/** How many of the first `count` spans are model calls, so that each of them must become a row of generation_logs. */
export const generationsIn = (kind: LoadKind, count: number): number =>
  Array.from({ length: count }, (_, i) => sortAt(kind, i)).filter((sort) => sort !== "plain").length;

/** `count` spans, the same for the same seed. Model calls hang below plain spans or below a parent in another request: none wraps another. */
export function spansOf(kind: LoadKind, count: number, seed: number): FinishedSpan[] {
  const random = createRandom(seed);
  let traceId = "";
  let parentId = "";
  return Array.from({ length: count }, (_, index) => {
    const first = index % SPANS_PER_TRACE === 0;
    const spanId = random.hex(16);
    if (first) {
      traceId = random.hex(32);
      parentId = sortAt(kind, index) === "plain" ? spanId : random.hex(16);
    }
    const context = { traceId, spanId, parentId: parentId === spanId ? undefined : parentId, index };
    const sort = sortAt(kind, index);
    if (sort === "plain") return plainSpan(random, context);
    const call = generationSpan(random, context, CONTENT_BYTES[sort]);
    if (isDialectKind(kind)) return { ...call, attributes: inDialect[kind](call.attributes) };
    return kind === "pending" ? { ...call, attributes: { ...call.attributes, [names.GENSPAN_PENDING_SENT]: true } } : call;
  });
}

/** What only the end of a call tells. */
const TOLD_AT_THE_END: ReadonlySet<string> = new Set([names.GENSPAN_PENDING_SENT, names.GEN_AI_OUTPUT_MESSAGES]);
const isToldAtTheEnd = (name: string): boolean =>
  TOLD_AT_THE_END.has(name) || name.startsWith("gen_ai.usage.") || name.startsWith("gen_ai.response.");

/** The records that announced these calls, as the SDK sends them: spans without duration below the calls, with all that is known before the answer. */
export function announcementsOf(calls: readonly FinishedSpan[], seed: number): FinishedSpan[] {
  const random = createRandom(seed + 1_000_000);
  return calls.map((call) => {
    const { traceId } = call.spanContext();
    const known = Object.entries(call.attributes).filter(([name]) => !isToldAtTheEnd(name));
    const parent = call.parentSpanContext?.spanId;
    const own = { traceId, spanId: random.hex(16), traceFlags: TraceFlags.SAMPLED };
    return {
      ...call,
      attributes: {
        ...Object.fromEntries(known),
        [names.GENSPAN_RECORD]: "pending",
        ...(parent === undefined ? {} : { [names.GENSPAN_PENDING_PARENT]: parent }),
      },
      spanContext: () => own,
      parentSpanContext: call.spanContext(),
      endTime: call.startTime,
      duration: [0, 0],
    };
  });
}

interface Placement {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly index: number;
}

/** What all spans share. Spans of a request start one microsecond apart, so that their order can be found again in the table. */
function finished(
  at: Placement,
  own: Pick<FinishedSpan, "name" | "kind" | "attributes" | "events"> & { readonly durationNanos: number },
): FinishedSpan {
  const start: HrTime = [TEMPLATE_START_SECONDS, at.index * 1_000];
  const end: HrTime = [TEMPLATE_START_SECONDS + 1, at.index * 1_000 + (own.durationNanos % 900_000_000)];
  const context = (spanId: string) => ({ traceId: at.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  return {
    ...own,
    spanContext: () => context(at.spanId),
    ...(at.parentId === undefined ? {} : { parentSpanContext: context(at.parentId) }),
    startTime: start,
    endTime: end,
    duration: [1, own.durationNanos % 900_000_000],
    ended: true,
    status: { code: SpanStatusCode.UNSET },
    links: [],
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** A server's answer to one HTTP request: 15 attributes and an event. */
function plainSpan(random: Random, at: Placement): FinishedSpan {
  const item = random.below(1_000_000);
  const attributes: Attributes = {
    "http.request.method": "GET",
    "http.route": "/api/v1/lessons/:lesson/items/:item",
    "url.scheme": "https",
    "url.path": `/api/v1/lessons/${random.below(9_000)}/items/${item}`,
    "url.query": `expand=${random.hex(6)}&limit=${10 + random.below(90)}&cursor=${random.hex(40)}&signature=${random.hex(64)}`,
    "server.address": "lessons.example.com",
    "server.port": 443,
    "client.address": `203.0.113.${random.below(255)}`,
    "network.peer.address": `10.12.${random.below(255)}.${random.below(255)}`,
    "network.protocol.version": "1.1",
    "user_agent.original": `LessonClient/4.${random.below(30)}.${random.below(9)} (Android ${9 + random.below(7)}; ${random.hex(8)}) okhttp/5.${random.below(20)} build-${random.hex(12)}`,
    "http.request.header.x-request-id": `${random.hex(8)}-${random.hex(4)}-${random.hex(4)}-${random.hex(12)}`,
    "http.response.status_code": random.below(50) === 0 ? 404 : 200,
    "http.response.body.size": 400 + random.below(90_000),
    "user.id": `u-${random.hex(24)}`,
  };
  const event = {
    name: "cache.lookup",
    time: [TEMPLATE_START_SECONDS, at.index * 1_000 + 500] as HrTime,
    attributes: { "cache.key": `lesson:${random.hex(24)}:${item}:prices`, "cache.hit": false, "cache.tier": "memory" },
  };
  return finished(at, {
    name: "GET /api/v1/lessons/:lesson/items/:item",
    kind: SpanKind.SERVER,
    attributes,
    events: [event],
    durationNanos: 1_000_000 + random.below(80_000_000),
  });
}

/** One model call: 16 attributes of the current conventions and the messages as JSON text, as instrumentations in JavaScript write them. */
function generationSpan(random: Random, at: Placement, bytes: { readonly prompt: number; readonly response: number }): FinishedSpan {
  const model = "gpt-4o-2024-08-06";
  const inputTokens = Math.round(bytes.prompt / 4) + random.below(60);
  const attributes: Attributes = {
    [names.GEN_AI_OPERATION_NAME]: "chat",
    [names.GEN_AI_PROVIDER_NAME]: "openai",
    [names.GEN_AI_REQUEST_MODEL]: model,
    [names.GEN_AI_REQUEST_TEMPERATURE]: 0.7,
    [names.GEN_AI_REQUEST_TOP_P]: 0.95,
    [names.GEN_AI_REQUEST_MAX_TOKENS]: 2_000,
    [names.GEN_AI_RESPONSE_MODEL]: model,
    [names.GEN_AI_RESPONSE_ID]: `chatcmpl-${random.hex(24)}`,
    [names.GEN_AI_RESPONSE_FINISH_REASONS]: ["stop"],
    [names.GEN_AI_USAGE_INPUT_TOKENS]: inputTokens,
    [names.GEN_AI_USAGE_OUTPUT_TOKENS]: 1 + random.below(900),
    [names.GEN_AI_CONVERSATION_ID]: `conv_${random.hex(48)}`,
    [names.GEN_AI_PROMPT_NAME]: "definition-writer",
    [names.GEN_AI_PROMPT_VERSION]: "2.1",
    [names.SERVER_ADDRESS]: "api.openai.com",
    [names.SERVER_PORT]: 443,
    [names.GEN_AI_INPUT_MESSAGES]: messages(random, bytes.prompt, [
      { role: "system", share: 0.25 },
      { role: "user", share: 0.75 },
    ]),
    [names.GEN_AI_OUTPUT_MESSAGES]: messages(random, bytes.response, [{ role: "assistant", share: 1, finish_reason: "stop" }]),
  };
  return finished(at, {
    name: `chat ${model}`,
    kind: SpanKind.CLIENT,
    attributes,
    events: [],
    durationNanos: 300_000_000 + random.below(500_000_000),
  });
}

interface MessageShape {
  readonly role: string;
  /** Part of all the text. */
  readonly share: number;
  readonly finish_reason?: string;
}

/** Message JSON of nearly `bytes` bytes: the texts are shortened by what quoting and line ends add. */
function messages(random: Random, bytes: number, shapes: readonly MessageShape[]): string {
  const json = (texts: readonly string[]): string =>
    JSON.stringify(
      shapes.map(({ role, finish_reason }, i) => ({
        role,
        parts: [{ type: "text", content: texts[i] ?? "" }],
        ...(finish_reason === undefined ? {} : { finish_reason }),
      })),
    );
  const room = bytes - Buffer.byteLength(json([]));
  const texts = shapes.map(({ share }) => prose(random, Math.round(room * share)));
  const excess = Buffer.byteLength(json(texts)) - bytes;
  const last = texts.length - 1;
  texts[last] = texts[last]!.slice(0, -excess);
  return json(texts);
}

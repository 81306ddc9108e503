import fc from "fast-check";
import protobuf from "protobufjs";
import type { Signal } from "../../../collector/base/signal.ts";
import { strictTypes } from "../../support/otlp-oracle-types.ts";

/*
 * Requests as plain objects of OTLP, made by fast-check: what no recorded client sends. Integers of 64 bits are decimal text and bytes are
 * Buffers, as protobufjs takes them.
 */

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "\u0000", '"\\\n', "__proto__", "x".repeat(130)) },
);
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -200n, max: 70_000n })).map(String);
const uint32 = fc.oneof(fc.constant(0), fc.nat(300), fc.constant(2 ** 32 - 1));
const START = 1_763_676_000_000_000_000n;
const nanos = fc
  .oneof(
    { weight: 6, arbitrary: fc.bigInt({ min: START, max: START + 10n ** 12n }) },
    { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 999n, 2n ** 63n, 2n ** 64n - 1n) },
  )
  .map(String);
const id = (size: number) =>
  fc
    .oneof(
      { weight: 12, arbitrary: fc.uint8Array({ minLength: size, maxLength: size }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: size + 1 }) },
    )
    .map((bytes) => Buffer.from(bytes));

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ stringValue: text }),
    fc.record({ intValue: int64 }),
    fc.record({ doubleValue: fc.double() }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) }),
    fc.constant({}),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie("value"), { maxLength: 4 }) }) }),
    fc.record({
      kvlistValue: fc.record({
        values: fc.array(fc.record({ key: text, value: tie("value") }, { requiredKeys: ["key"] }), { maxLength: 4 }),
      }),
    }),
  ),
}));

const attribute = fc.record({ key: text, value: anyValue }, { requiredKeys: ["key"] });
const attributes = fc.array(attribute, { maxLength: 4 });
const attributesNamed = (values: Record<string, fc.Arbitrary<object>>) =>
  fc
    .record(values, { requiredKeys: ["gen_ai.operation.name", "gen_ai.request.model"] })
    .map((object) => Object.entries(object).map(([key, value]) => ({ key, value })));

const stringOf = (...texts: string[]) => fc.record({ stringValue: fc.oneof(fc.constantFrom(...texts), text) });
const number = fc.oneof(
  fc.record({ intValue: int64 }),
  fc.record({ intValue: fc.nat(5_000).map(String) }),
  fc.record({ doubleValue: fc.double() }),
  fc.record({ stringValue: fc.constantFrom("14", "0.5", "", "many", " 7 ", "1e3") }),
);
const messages = (role: string) =>
  fc.record({
    stringValue: fc.oneof(
      text.map((content) => JSON.stringify([{ role, parts: [{ type: "text", content }] }])),
      fc.constantFrom("plain text", "[]", '[{"role":"user","content":"old shape"}]', "[cut"),
      text,
    ),
  });

/** A model call in the current conventions. */
const modelCall = attributesNamed({
  "gen_ai.operation.name": stringOf("chat", "chat", "text_completion", "generate_content", "embeddings", "invoke_agent", "execute_tool"),
  "gen_ai.provider.name": stringOf("openai", "anthropic", "aws.bedrock"),
  "gen_ai.request.model": stringOf("gpt-5", "claude-5", "m".repeat(1_200)),
  "gen_ai.request.temperature": number,
  "gen_ai.request.top_p": number,
  "gen_ai.request.top_k": number,
  "gen_ai.request.frequency_penalty": number,
  "gen_ai.request.presence_penalty": number,
  "gen_ai.request.max_tokens": number,
  "gen_ai.request.seed": number,
  "gen_ai.response.model": stringOf("gpt-5-2026"),
  "gen_ai.response.id": stringOf("resp_1"),
  "gen_ai.conversation.id": stringOf("c-1"),
  "gen_ai.usage.input_tokens": number,
  "gen_ai.usage.output_tokens": number,
  "gen_ai.input.messages": messages("user"),
  "gen_ai.output.messages": messages("assistant"),
  "gen_ai.system_instructions": messages("system"),
  "error.type": stringOf("500", "timeout", ""),
  "x.more": anyValue as fc.Arbitrary<object>,
});

const event = fc.record({ timeUnixNano: nanos, name: text, attributes, droppedAttributesCount: uint32 }, { requiredKeys: [] });
const link = fc.record(
  { traceId: id(16), spanId: id(8), traceState: text, attributes, droppedAttributesCount: uint32, flags: uint32 },
  { requiredKeys: [] },
);
const span = fc.record(
  {
    traceId: id(16),
    spanId: id(8),
    traceState: text,
    parentSpanId: id(8),
    name: text,
    kind: fc.integer({ min: -1, max: 7 }),
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes: fc.oneof(attributes, modelCall),
    droppedAttributesCount: uint32,
    events: fc.array(event, { maxLength: 2 }),
    droppedEventsCount: uint32,
    links: fc.array(link, { maxLength: 2 }),
    droppedLinksCount: uint32,
    status: fc.record({ message: text, code: fc.integer({ min: 0, max: 3 }) }, { requiredKeys: [] }),
    flags: uint32,
  },
  { requiredKeys: ["traceId", "spanId"] },
);
const logRecord = fc.record(
  {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: fc.integer({ min: -1, max: 25 }),
    severityText: text,
    body: anyValue,
    attributes,
    droppedAttributesCount: uint32,
    flags: uint32,
    traceId: id(16),
    spanId: id(8),
    eventName: fc.oneof(text, fc.constantFrom("gen_ai.user.message", "gen_ai.evaluation.result")),
  },
  { requiredKeys: [] },
);
const resource = fc.record({
  attributes: fc
    .tuple(attributes, fc.constantFrom("service.name", "deployment.environment.name", "host.name"), text)
    .map(([more, key, stringValue]) => [...more, { key, value: { stringValue } }]),
  droppedAttributesCount: uint32,
});
const scope = fc.record(
  {
    name: fc.oneof(text, fc.constantFrom("@opentelemetry/instrumentation-openai")),
    version: text,
    attributes,
    droppedAttributesCount: uint32,
  },
  { requiredKeys: [] },
);

const requestOf = (names: { groups: string; scopes: string; items: string }, item: fc.Arbitrary<object>) =>
  fc
    .array(
      fc
        .record(
          {
            resource,
            scopes: fc.array(fc.record({ scope, items: fc.array(item, { maxLength: 2 }), schemaUrl: text }, { requiredKeys: ["items"] }), {
              minLength: 1,
              maxLength: 2,
            }),
            schemaUrl: text,
          },
          { requiredKeys: ["scopes"] },
        )
        .map(({ scopes, ...group }) => ({
          ...group,
          [names.scopes]: scopes.map(({ items, ...below }) => ({ ...below, [names.items]: items })),
        })),
      { minLength: 1, maxLength: 2 },
    )
    .map((groups) => ({ [names.groups]: groups }));

const REQUESTS: Readonly<Record<"traces" | "logs", fc.Arbitrary<object>>> = {
  traces: requestOf({ groups: "resourceSpans", scopes: "scopeSpans", items: "spans" }, span),
  logs: requestOf({ groups: "resourceLogs", scopes: "scopeLogs", items: "logRecords" }, logRecord),
};

/** Requests as objects, the same for the same seed. */
export const generatedObjects = (signal: "traces" | "logs", options: { readonly seed: number; readonly count: number }): object[] =>
  fc.sample(REQUESTS[signal], { seed: options.seed, numRuns: options.count });

/** An object of a request as protobufjs encodes it. */
export function encodeObject(object: object, signal: Signal): Buffer {
  const type = strictTypes.lookupType(signal === "logs" ? "LogsData" : "TracesData");
  return Buffer.from(type.encode(type.fromObject(object as Record<string, unknown>)).finish());
}

export { protobuf };

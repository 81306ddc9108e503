import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createTemplate, freshCopies, freshCopy } from "../../bench/bodies.ts";
import { type SpanObject, toObjects } from "../../bench/otlp-types.ts";
import { generationsIn, KINDS, type Kind, SPANS_PER_REQUEST, sortAt } from "../../bench/payloads.ts";

const START = 1_790_000_000_000_000_000n;
const BYTES_PER_SPAN: Readonly<Record<Kind, number>> = { plain: 1_040, genai: 3_733, genai10: 12_697, mix: 2_314 };

const template = (kind: Kind, encoding: "protobuf" | "json" = "protobuf", spans = SPANS_PER_REQUEST) =>
  createTemplate({ kind, encoding, spans, seed: 7 });
const spansOf = (body: Buffer): SpanObject[] =>
  toObjects(body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
const textOf = (span: SpanObject, key: string): string =>
  span.attributes.find((attribute) => attribute.key === key)?.value.stringValue ?? "";

describe.each(KINDS)("the payload %s", (kind) => {
  it("has the bytes per span of the contract, within 4 %", () => {
    const perSpan = template(kind).body.length / SPANS_PER_REQUEST;
    expect(perSpan / BYTES_PER_SPAN[kind]).toBeGreaterThan(0.96);
    expect(perSpan / BYTES_PER_SPAN[kind]).toBeLessThan(1.04);
  });

  it("shrinks under gzip about as much as people's traffic does", () => {
    const { body } = template(kind);
    expect(body.length / gzipSync(body).length).toBeGreaterThan(2.5);
    expect(body.length / gzipSync(body).length).toBeLessThan(5);
  });

  it("is decoded by protobufjs into as many spans, and model calls where they are counted", () => {
    const spans = spansOf(template(kind).body);
    expect(spans).toHaveLength(SPANS_PER_REQUEST);
    expect(spans.filter((span) => textOf(span, "gen_ai.operation.name") === "chat")).toHaveLength(generationsIn(kind, SPANS_PER_REQUEST));
  });

  it("is the same in every run", () => {
    expect(template(kind).body.equals(template(kind).body)).toBe(true);
    expect(createTemplate({ kind, encoding: "protobuf", spans: 8, seed: 8 }).body.equals(template(kind, "protobuf", 8).body)).toBe(false);
  });
});

describe("a plain span", () => {
  it("has 15 attributes and one event", () => {
    const [span] = spansOf(template("plain").body);
    expect(span?.attributes).toHaveLength(15);
    expect(span?.events).toHaveLength(1);
  });
});

describe.each([
  ["genai", 2_048, 820],
  ["genai10", 10_240, 1_536],
] as const)("a span of %s", (kind, promptBytes, responseBytes) => {
  const [span] = spansOf(template(kind).body);

  it("has 16 attributes beside its messages", () => {
    expect(span?.attributes).toHaveLength(18);
  });

  it(`has a prompt of ${promptBytes} and a response of ${responseBytes} bytes, both message JSON with text to escape`, () => {
    const prompt = textOf(span!, "gen_ai.input.messages");
    const response = textOf(span!, "gen_ai.output.messages");
    expect(Math.abs(Buffer.byteLength(prompt) - promptBytes)).toBeLessThan(8);
    expect(Math.abs(Buffer.byteLength(response) - responseBytes)).toBeLessThan(8);
    expect(JSON.parse(prompt)).toMatchObject([{ role: "system" }, { role: "user", parts: [{ type: "text" }] }]);
    expect(JSON.parse(response)).toMatchObject([{ role: "assistant", finish_reason: "stop" }]);
    expect(prompt).toMatch(/\\n|\\"/);
  });
});

describe("the mix", () => {
  it("is 70 % plain, 25 % genai and 5 % genai10", () => {
    const sorts = Array.from({ length: 2_000 }, (_, i) => sortAt("mix", i));
    expect(sorts.filter((sort) => sort === "plain")).toHaveLength(1_400);
    expect(sorts.filter((sort) => sort === "genai")).toHaveLength(500);
    expect(sorts.filter((sort) => sort === "genai10")).toHaveLength(100);
  });

  it("hangs no model call below another one", () => {
    const spans = spansOf(template("mix").body);
    const calls = new Set(spans.filter((span) => textOf(span, "gen_ai.operation.name") !== "").map((span) => span.spanId));
    expect(calls.size).toBeGreaterThan(0);
    expect(spans.filter((span) => calls.has(span.parentSpanId ?? ""))).toEqual([]);
  });
});

describe("the payload pending", () => {
  const [announcements, calls] = freshCopies(createTemplate({ kind: "pending", encoding: "protobuf", spans: 16, seed: 7 }), START).map(
    spansOf,
  );

  it("announces each call by a span without duration below it, in a request before it", () => {
    expect(announcements).toHaveLength(16);
    expect(announcements?.map((span) => [span.traceId, span.parentSpanId])).toEqual(calls?.map((span) => [span.traceId, span.spanId]));
    expect(announcements?.map((span) => span.startTimeUnixNano)).toEqual(calls?.map((span) => span.startTimeUnixNano));
    expect(announcements?.every((span) => span.startTimeUnixNano === span.endTimeUnixNano)).toBe(true);
    expect(new Set(announcements?.map((span) => span.spanId)).size).toBe(16);
  });

  it("tells in the announcement what is known before the answer, and in the call that it was announced", () => {
    const [announcement, call] = [announcements![0]!, calls![0]!];
    expect(textOf(announcement, "genspan.record")).toBe("pending");
    expect(textOf(announcement, "gen_ai.input.messages")).toBe(textOf(call, "gen_ai.input.messages"));
    expect(textOf(announcement, "gen_ai.output.messages")).toBe("");
    const sent = call.attributes.find(({ key }) => key === "genspan.pending.sent");
    expect(sent?.value.boolValue).toBe(true);
  });
});

describe("a fresh copy", () => {
  const from = template("mix");

  it("has ids that no other copy has, with traces and parents kept together", () => {
    const copies = Array.from({ length: 5 }, () => spansOf(freshCopy(from, START)));
    const ids = copies.flat().map((span) => `${span.traceId} ${span.spanId}`);
    expect(new Set(ids).size).toBe(5 * SPANS_PER_REQUEST);
    for (const spans of copies) {
      expect(spans[1]?.traceId).toBe(spans[0]?.traceId);
      expect(spans[1]?.parentSpanId).toBe(spans[0]?.spanId);
      expect(spans[4]?.traceId).not.toBe(spans[0]?.traceId);
    }
  });

  it("starts when it is told to, its spans a microsecond apart, and keeps durations", () => {
    const original = spansOf(from.body);
    const spans = spansOf(freshCopy(from, START));
    expect(spans.map((span) => BigInt(span.startTimeUnixNano))).toEqual(spans.map((_, i) => START + BigInt(i) * 1_000n));
    const duration = (span: SpanObject) => BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano);
    expect(spans.map(duration)).toEqual(original.map(duration));
  });

  it("changes nothing else, in protobuf and in JSON", () => {
    const neutral = (spans: SpanObject[]) => spans.map(({ name, kind, attributes }) => ({ name, kind, attributes }));
    expect(neutral(spansOf(freshCopy(from, START)))).toEqual(neutral(spansOf(from.body)));
    const json = template("genai", "json", 4);
    const parsed = (body: Buffer): SpanObject[] => JSON.parse(body.toString()).resourceSpans[0].scopeSpans[0].spans;
    const copy = parsed(freshCopy(json, START));
    expect(neutral(copy)).toEqual(neutral(parsed(json.body)));
    expect(copy.map((span) => span.startTimeUnixNano)).toEqual(copy.map((_, i) => String(START + BigInt(i) * 1_000n)));
    expect(copy[0]?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(copy[0]?.traceId).not.toBe(parsed(json.body)[0]?.traceId);
  });

  it("leaves the template as it is", () => {
    const before = Buffer.from(from.body);
    freshCopy(from, START);
    expect(from.body.equals(before)).toBe(true);
  });
});

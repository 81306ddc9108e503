import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DecodeError } from "../../../collector/otlp/decode-error.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { recording } from "../../support/recordings.ts";
import { told } from "../../support/told.ts";

type Row = Record<string, unknown>;

const SPAN = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  name: "x",
  startTimeUnixNano: "1795219200000000000",
  endTimeUnixNano: "1795219201000000000",
};
const read = (body: object) => rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(body)), "traces"));
const spanRow = (more: object): Row => read({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, ...more }] }] }] }).spans[0]!;
const text = (value: string): object => ({ stringValue: value });

describe("trap 23: another signal, or attributes in another shape", () => {
  it("logs sent as traces are refused one by one, with a reason that says what they look like", () => {
    const { request, spans } = rowsFromTraces(recording("otel-openai", "chat.2").body);
    expect(spans).toEqual([]);
    expect(request.refusedItems).toHaveLength(3);
    for (const { reason } of request.refusedItems) expect(reason).toContain("looks like logs");
  });

  it("logs as JSON, and attributes as an object, are refused with a sentence that says what to send", () => {
    expect(() => read({ resourceLogs: [] })).toThrow(DecodeError);
    expect(() => read({ resourceLogs: [] })).toThrow("/v1/logs");
    expect(() => spanRow({ attributes: { a: 1 } })).toThrow('[{"key": "a", "value"');
  });
});

describe("trap 24: JSON of generic encoders", () => {
  it.each([
    ["padded base64", { traceId: "S/kvNXezTaajzpKdDg5HNg==", spanId: "APBnqgupArc=" }],
    ["base64 without padding", { traceId: "S/kvNXezTaajzpKdDg5HNg", spanId: "APBnqgupArc" }],
    ["capitals", { traceId: SPAN.traceId.toUpperCase(), spanId: SPAN.spanId.toUpperCase() }],
  ])("ids in %s", (_, ids) => {
    expect(spanRow(ids)).toMatchObject({ trace_id: SPAN.traceId, span_id: SPAN.spanId });
  });

  it("names of enums, and fields in snake case", () => {
    const { traceId: trace_id, spanId: span_id, startTimeUnixNano: start_time_unix_nano, endTimeUnixNano: end_time_unix_nano, name } = SPAN;
    const span = {
      trace_id,
      span_id,
      start_time_unix_nano,
      end_time_unix_nano,
      name,
      kind: "SPAN_KIND_CLIENT",
      status: { code: "STATUS_CODE_ERROR" },
    };
    expect(read({ resource_spans: [{ scope_spans: [{ spans: [span] }] }] }).spans).toMatchObject([
      { trace_id: SPAN.traceId, span_id: SPAN.spanId, kind: 3, status_code: 2, duration_ns: 1_000_000_000 },
    ]);
  });

  it.each(["+/8=", "-_8="])("bytes in either alphabet: %s", (bytesValue) => {
    expect(spanRow({ attributes: [{ key: "b", value: { bytesValue } }] })["attributes"]).toEqual({ b: "+/8=" });
  });

  it.each([{ spanId: "" }, { spanId: "abc" }, { traceId: "0".repeat(32) }])("%o refuses the span alone", (ids) => {
    const { spans, request } = read({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, ...ids }, SPAN] }] }] });
    expect(spans).toHaveLength(1);
    expect(request.refusedItems).toHaveLength(1);
  });
});

describe("trap 25: times and parents", () => {
  it("an end before the start is kept, with a duration of 0", () => {
    expect(spanRow({ endTimeUnixNano: "1795219199000000000" })["duration_ns"]).toBe(0);
  });

  it("without an end there is no duration; without a start the arrival stands in", () => {
    expect(spanRow({ endTimeUnixNano: undefined })).toMatchObject({ end_time: null, duration_ns: null });
    expect(spanRow({ startTimeUnixNano: undefined })["duration_ns"]).toBeNull();
  });

  it.each(["", "0000000000000000"])("a parent %o is none", (parentSpanId) => {
    expect(spanRow({ parentSpanId })["parent_span_id"]).toBeNull();
  });
});

it("trap 26: a call whose sender dropped attributes says that it is not whole", () => {
  const { spans, generations } = rowsFromTraces(recording("openinference-longchat", "chat-100-messages").body);
  expect(Number(spans[0]?.["dropped_attributes_count"])).toBeGreaterThan(0);
  expect(generations.map(told)).toMatchObject([{ content_state: "truncated" }]);
});

it("trap 27: a large picture within JSON is stored once, and its message names it", () => {
  const picture = Buffer.alloc(3_000_000, 7).toString("base64");
  const messages = [
    { role: "user", parts: [1, 2].map(() => ({ type: "blob", modality: "image", mime_type: "image/png", content: picture })) },
  ];
  const attributes = [
    { key: "gen_ai.operation.name", value: text("chat") },
    { key: "gen_ai.request.model", value: text("m") },
    { key: "gen_ai.input.messages", value: text(JSON.stringify(messages)) },
  ];
  const { generations, request } = read({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, attributes }] }] }] });
  expect(String(generations[0]?.["prompt_full_text"]).length).toBeLessThan(1_000);
  const blobs = rowsOf(request, "blobs");
  expect(blobs.map((row) => Number(row["size_bytes"]))).toEqual([3_000_000]);
  expect(generations[0]?.["prompt_full_text"]).toContain("genspan-blob:");
});

describe("the traps", () => {
  it("are all tested by their number", () => {
    const folder = new URL("./", import.meta.url);
    const files = readdirSync(folder).filter((file) => /^traps-.*\.test\.ts$/.test(file));
    const numbers = files.flatMap((file) =>
      [...readFileSync(new URL(file, folder), "utf8").matchAll(/"trap (\d+): /g)].map((found) => Number(found[1])),
    );
    expect([...new Set(numbers)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, i) => i + 1));
  });
});

import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { SENT_FIELD } from "../../../collector/otlp/sent-marks.ts";
import { createRedactor } from "../../../collector/processors/redaction.ts";
import { createTraceEncoder } from "../../../collector/rows/encode-traces.ts";
import { createRequestBuilder } from "../../../collector/rows/request-builder.ts";
import type { Row } from "../../support/copy-reader.ts";
import { encodeBody, RECEIVED_AT_MS, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, tracesRequest, varintField } from "../../support/wire-builder.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const START = "1763676000123456789";
const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");

type Members = Readonly<Record<string, unknown>>;
const tracesOf = (span: Members, resource: Members = {}): Buffer =>
  transcodeJson(Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] })), "traces");
const spanOf = (more: Members): Row =>
  rowsFromTraces(tracesOf({ traceId: TRACE, spanId: SPAN, name: "n", startTimeUnixNano: START, ...more })).spans[0]!;
const logOf = (more: Members): Row => {
  const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: START, ...more }] }] }] };
  return rowsOf(encodeBody(transcodeJson(Buffer.from(JSON.stringify(logs)), "logs"), "logs"), "log_records")[0]!;
};
const attribute = (value: Members): Members => ({ attributes: [{ key: "k", value }] });

describe("text with half of a surrogate pair", () => {
  it("ENC-07 is mended into one U+FFFD and noted, wherever it stands", () => {
    const row = spanOf({
      name: "\ud800",
      traceState: "a=\udc00",
      attributes: [{ key: "k\ud800", value: { stringValue: "x\ud800y" } }],
      events: [{ name: "e\ud800", attributes: [] }],
    });
    expect(row).toMatchObject({ name: "\uFFFD", trace_state: "a=\uFFFD", attributes: { "k\uFFFD": "x\uFFFDy" } });
    expect(row["ingest_notes"]).toEqual({ sanitized: { utf8: ["name", "attributes.k\uFFFD", "events.0.name", "trace_state"] } });
  });

  it("ENC-07 is noted on log records", () => {
    expect(logOf({ body: { stringValue: "x\ud800y" } })).toMatchObject({
      body: "x\uFFFDy",
      ingest_notes: { sanitized: { utf8: ["body"] } },
    });
  });

  it("ENC-07 is counted", () => {
    const encoder = createTraceEncoder();
    const raw = tracesOf({ traceId: TRACE, spanId: SPAN, name: "\ud800", startTimeUnixNano: START });
    encoder.open(createRequestBuilder({ signal: "traces", projectId: 1, raw, receivedAtMs: RECEIVED_AT_MS }));
    expect(encoder.next()).toBe("item");
    encoder.encode();
    expect([...encoder.notes.counts]).toEqual([["utf8", 1]]);
  });

  it("ENC-07 whole pairs are no reason for a note", () => {
    expect(spanOf({ name: "🎉" })).toMatchObject({ name: "🎉", ingest_notes: null });
  });
});

describe("ids", () => {
  it("IDS-04 base64 is normalised, and a note says of which ids", () => {
    const row = spanOf({ traceId: base64(TRACE), spanId: base64(SPAN).replaceAll("=", ""), parentSpanId: base64("00f067aa0ba902b7") });
    expect(row).toMatchObject({ trace_id: TRACE, span_id: SPAN, parent_span_id: "00f067aa0ba902b7" });
    expect(row["ingest_notes"]).toEqual({ sanitized: { id_base64: ["trace_id", "span_id", "parent_span_id"] } });
  });

  it("IDS-04 base64 in links and log records is noted as well", () => {
    const link = { traceId: base64(TRACE), spanId: SPAN };
    expect(spanOf({ links: [link] })).toMatchObject({
      links: [{ trace_id: TRACE, span_id: SPAN, attributes: {} }],
      ingest_notes: { sanitized: { id_base64: ["links.0.trace_id"] } },
    });
    expect(logOf({ traceId: base64(TRACE) })).toMatchObject({
      trace_id: TRACE,
      ingest_notes: { sanitized: { id_base64: ["trace_id"] } },
    });
  });

  it("IDS-05 hexadecimal of any case is what an id looks like: no note", () => {
    expect(spanOf({ parentSpanId: "00F067AA0BA902B7" })).toMatchObject({ parent_span_id: "00f067aa0ba902b7", ingest_notes: null });
  });

  it.each([
    ["zz", "zz"],
    ["eight___", "eight___"],
    ["0af76519-16cd-43dd-8448-eb211c80319c", "0af76519-16cd-43dd-8448-eb211c80319c"],
    ["x".repeat(5_000), "x".repeat(64)],
  ])("the parent %.40s leaves none, and is told as it was sent", (parentSpanId, sent) => {
    expect(spanOf({ parentSpanId })).toMatchObject({ parent_span_id: null, ingest_notes: { sent: { parent_span_id: sent } } });
  });

  it("a parent of three bytes is told in hexadecimal", () => {
    const { spans } = rowsFromTraces(tracesRequest([span({ more: [lengthField(4, Buffer.from([1, 2, 0xff]))] })]));
    expect(spans[0]).toMatchObject({ parent_span_id: null, ingest_notes: { sent: { parent_span_id: "0102ff" } } });
  });

  it.each(["", "0000000000000000"])("the parent %j says that there is none: no note", (parentSpanId) => {
    expect(spanOf({ parentSpanId })).toMatchObject({ parent_span_id: null, ingest_notes: null });
  });

  it("wrong ids of a log record are told", () => {
    expect(logOf({ traceId: "zz", spanId: "1" })).toMatchObject({
      trace_id: null,
      span_id: null,
      ingest_notes: { sent: { trace_id: "zz", span_id: "1" } },
    });
  });

  it("IDS-04 wrong ids of links are null, and told, never stored as garbage", () => {
    expect(spanOf({ links: [{ traceId: "zz", spanId: "1" }, { traceId: TRACE }] })).toMatchObject({
      links: [
        { trace_id: null, span_id: null, attributes: {} },
        { trace_id: TRACE, span_id: null, attributes: {} },
      ],
      ingest_notes: { sent: { "links.0.trace_id": "zz", "links.0.span_id": "1" } },
    });
  });
});

describe("numbers that fit no column", () => {
  it.each([4_294_967_296, -1, 1.5, "many"])("flags %j are NULL, and told", (flags) => {
    const notes = { sent: { flags: String(flags) } };
    expect(spanOf({ flags })).toMatchObject({ flags: null, ingest_notes: notes });
    expect(logOf({ flags })).toMatchObject({ flags: null, ingest_notes: notes });
  });

  it("counts and link flags are told by their place", () => {
    const row = spanOf({ droppedEventsCount: -2, links: [{ traceId: TRACE, spanId: SPAN, flags: "x" }] });
    expect(row["ingest_notes"]).toEqual({ sent: { dropped_events_count: "-2", "links.0.flags": "x" } });
  });

  it.each(["-5", "abc", "2026-11-21T08:00:00Z", "9".repeat(30)])("TIM-02 the start %s is told", (startTimeUnixNano) => {
    expect(spanOf({ startTimeUnixNano })).toMatchObject({
      start_time: BigInt(RECEIVED_AT_MS) * 1000n,
      ingest_notes: { time: { start: "0" }, sent: { start_time: startTimeUnixNano } },
    });
  });

  it("a start that was not sent tells nothing that was sent", () => {
    expect(spanOf({ startTimeUnixNano: "0" })["ingest_notes"]).toEqual({ time: { start: "0" } });
  });

  it("ends, the times of events and the times of log records are told", () => {
    expect(spanOf({ endTimeUnixNano: "soon", events: [{ name: "e", timeUnixNano: "1.5" }] })).toMatchObject({
      end_time: null,
      ingest_notes: { sent: { end_time: "soon", "events.0.time_unix_nano": "1.5" } },
    });
    expect(logOf({ observedTimeUnixNano: "then" })).toMatchObject({ ingest_notes: { sent: { observed_time: "then" } } });
  });

  it("ENC-25 kinds and codes that no smallint holds are told", () => {
    const more = [varintField(6, 70_000), lengthField(15, varintField(3, 40_000))];
    expect(rowsFromTraces(tracesRequest([span({ more })])).spans[0]).toMatchObject({
      kind: 0,
      status_code: 0,
      ingest_notes: { sent: { kind: "70000", status_code: "40000" } },
    });
  });

  it("thousands of them are told by the first twenty", () => {
    const events = Array.from({ length: 5_000 }, () => ({ name: "e", timeUnixNano: "x".repeat(1_000) }));
    const { sent } = spanOf({ events })["ingest_notes"] as { sent: Record<string, string> };
    expect(Object.keys(sent)).toHaveLength(20);
    expect(new Set(Object.values(sent))).toEqual(new Set(["x".repeat(64)]));
  });
});

describe("values that do not fit their member", () => {
  it.each<[string, unknown, unknown]>([
    ["intValue", "abc", "abc"],
    ["intValue", 1.5, 1.5],
    ["intValue", "9223372036854775808", 2 ** 63],
    ["doubleValue", "abc", "abc"],
    ["bytesValue", "!!", "!!"],
    ["boolValue", "true", true],
    ["boolValue", 0, false],
    ["boolValue", "yes", "yes"],
    ["stringValue", 7, "7"],
  ])("%s %j stays as it can be, and its member is told", (member, sent, stored) => {
    expect(spanOf(attribute({ [member]: sent }))).toMatchObject({
      attributes: { k: stored },
      ingest_notes: { sent_as: { "attributes.k": member } },
    });
  });

  it.each<[string, unknown]>([
    ["intValue", "5"],
    ["intValue", 5],
    ["doubleValue", "2.5"],
    ["doubleValue", 2],
    ["bytesValue", "AAEC"],
    ["boolValue", true],
    ["stringValue", "7"],
  ])("%s %j fits", (member, sent) => {
    const notes = spanOf(attribute({ [member]: sent }))["ingest_notes"] as { sent_as?: unknown } | null;
    expect(notes?.sent_as).toBeUndefined();
  });

  it("values within lists, of events, of links and of bodies are told by their attribute", () => {
    const { attributes } = attribute({ arrayValue: { values: [{ intValue: 1 }, { intValue: "abc" }] } });
    const row = spanOf({ attributes, events: [{ name: "e", attributes }], links: [{ traceId: TRACE, spanId: SPAN, attributes }] });
    expect(row["ingest_notes"]).toEqual({
      sent_as: { "attributes.k": "intValue", "events.0.attributes.k": "intValue", "links.0.attributes.k": "intValue" },
    });
    expect(logOf({ body: { boolValue: "true" } })).toMatchObject({ body: true, ingest_notes: { sent_as: { body: "boolValue" } } });
  });

  it("a value whose text moves into the generation row is told as well", () => {
    const texts = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" };
    const attributes = [
      ...Object.entries(texts).map(([key, stringValue]) => ({ key, value: { stringValue } })),
      { key: "gen_ai.input.messages", value: { intValue: '[{"role":"user","parts":[{"type":"text","content":"x"}]}]' } },
    ];
    expect(spanOf({ attributes })["ingest_notes"]).toMatchObject({ sent_as: { "attributes.gen_ai.input.messages": "intValue" } });
  });

  it("nothing is told of a value that a later one of its key replaces, and nothing of one span on the next", () => {
    const twice = [
      { key: "k", value: { intValue: "abc" } },
      { key: "k", value: { intValue: 1 } },
    ];
    expect(spanOf({ attributes: twice })["ingest_notes"]).toEqual({ duplicate_keys: 1 });
    const spans = [attribute({ intValue: "abc" }), attribute({ intValue: 1 })].map((more, i) => ({
      ...{ traceId: TRACE, spanId: SPAN.slice(1) + i, startTimeUnixNano: START },
      ...more,
    }));
    const body = transcodeJson(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })), "traces");
    expect(rowsFromTraces(body).spans.map((row) => row["ingest_notes"])).toEqual([{ sent_as: { "attributes.k": "intValue" } }, null]);
  });
});

describe("resources and scopes", () => {
  const BAD = Buffer.from([0x66, 0xff]);
  const inResource = (...attributes: Buffer[]): Buffer => lengthField(1, ...attributes.map((each) => lengthField(1, each)));
  const withResource = (...attributes: Buffer[]): Buffer =>
    lengthField(1, inResource(...attributes), lengthField(2, lengthField(2, span())));

  it.each([
    ["ENC-04 invalid UTF-8", BAD, "f\uFFFD", "utf8"],
    ["ENC-01 NUL", Buffer.from("f\u0000"), "f\uFFFD", "nul"],
  ])("%s in the service's name is noted on the span, whose column it is", (_, name, stored, reason) => {
    for (let request = 0; request < 2; request++) {
      expect(rowsFromTraces(withResource(keyValue("service.name", any.string(name)))).spans[0]).toMatchObject({
        service_name: stored,
        ingest_notes: { sanitized: { [reason]: ["service_name"] } },
      });
    }
  });

  it("ENC-04 so are other attributes of the resource, and names of the scope", () => {
    const scope = lengthField(1, lengthField(1, BAD), lengthField(2, "1.0"), lengthField(3, keyValue("s", any.string(BAD))));
    const resource = inResource(keyValue("host", any.string(BAD)), keyValue("raw", any.bytes(Buffer.from([1]))));
    const request = lengthField(1, resource, lengthField(2, scope, lengthField(2, span()), lengthField(3, BAD)));
    expect(rowsFromTraces(request).spans[0]!["ingest_notes"]).toEqual({
      sanitized: { utf8: ["resource.attributes.host", "scope.attributes.s", "scope.name", "scope.schema_url"] },
    });
  });

  it("ENC-07 half of a surrogate pair in the service's name is noted on log records", () => {
    const resource = { attributes: [{ key: "service.name", value: { stringValue: "\ud800" } }] };
    const logs = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ timeUnixNano: START }] }] }] };
    const request = encodeBody(transcodeJson(Buffer.from(JSON.stringify(logs)), "logs"), "logs");
    expect(rowsOf(request, "log_records")).toMatchObject([
      { service_name: "\uFFFD", ingest_notes: { sanitized: { utf8: ["service_name"] } } },
    ]);
  });
});

describe("what is told passes through the same gates as everything else", () => {
  it("a secret in the place of a time or an id is made unreadable", () => {
    const secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
    const raw = tracesOf({ traceId: TRACE, spanId: SPAN, startTimeUnixNano: secret, parentSpanId: secret, flags: secret });
    createRedactor({ secrets: true, pii: [], patterns: [] })(raw, "traces");
    const notes = JSON.stringify(rowsFromTraces(raw).spans[0]!["ingest_notes"]);
    expect(notes).not.toContain("abcdefghij");
    expect(notes.match(/\[\w+\]\**/g)).toHaveLength(3);
  });

  it("marks that a sender makes up are notes at most", () => {
    const marks = [Buffer.alloc(0), Buffer.from([99, 1]), Buffer.from("\u0010a\u0000b\ud83d")].map((mark) => lengthField(SENT_FIELD, mark));
    const value = Buffer.concat([any.int(1), lengthField(SENT_FIELD, Buffer.from([200])), lengthField(SENT_FIELD, Buffer.alloc(0))]);
    const { spans } = rowsFromTraces(tracesRequest([span({ attributes: [keyValue("k", value)], more: marks })]));
    expect(spans[0]).toMatchObject({ attributes: { k: 1 }, ingest_notes: { sent: { flags: "a\uFFFDb\uFFFD" } } });
  });
});

import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { encodeBody, RECEIVED_AT_MS, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { recordingsOf } from "../../support/recordings.ts";
import {
  any,
  fixed64Field,
  keyValue,
  lengthField,
  SPAN_ID,
  START_NS,
  span,
  spanId,
  TRACE_ID,
  tracesRequest,
} from "../../support/wire-builder.ts";

const micros = (nanos: bigint): bigint => nanos / 1000n;

describe("ids", () => {
  it("IDS-01 missing, empty and all-zero ids cost only their own spans", () => {
    const bad = [
      span({ traceId: Buffer.alloc(0) }),
      span({ traceId: Buffer.alloc(16) }),
      span({ spanId: Buffer.alloc(0) }),
      span({ spanId: Buffer.alloc(8) }),
      Buffer.concat([lengthField(5, "no ids"), fixed64Field(7, START_NS)]),
    ];
    const good = Array.from({ length: 45 }, (_, i) => span({ spanId: spanId(i) }));
    const { spans, request } = rowsFromTraces(tracesRequest([...bad, ...good]));
    expect(spans).toHaveLength(45);
    expect(request.refusedItems).toHaveLength(5);
    for (const { reason } of request.refusedItems) expect(reason).toMatch(/must (not )?be/);
    expect(rowsOf(request, "ingest_rejected").map((row) => row["raw"])).toEqual(bad);
  });

  it.each([
    [15, 8],
    [17, 8],
    [16, 7],
    [16, 9],
  ])("IDS-02 a trace id of %i and a span id of %i bytes refuse the span alone", (traceBytes, spanBytes) => {
    const bad = span({ traceId: Buffer.alloc(traceBytes, 1), spanId: Buffer.alloc(spanBytes, 1) });
    const { spans, request } = rowsFromTraces(tracesRequest([bad, span()]));
    expect(spans).toHaveLength(1);
    expect(request.refusedItems).toEqual([{ item: 0, reason: expect.stringMatching(/must be (16|8) bytes, got/) }]);
  });

  it("IDS-05 ids are stored as lower-case hexadecimal", () => {
    const { spans } = rowsFromTraces(tracesRequest([span({ traceId: Buffer.from("ABCDEF0123456789ABCDEF0123456789", "hex") })]));
    expect(spans[0]).toMatchObject({ trace_id: "abcdef0123456789abcdef0123456789", span_id: SPAN_ID.toString("hex") });
  });

  it("IDS-08 logs sent to the traces endpoint are refused with a hint, one by one", () => {
    const logRecord = Buffer.concat([
      fixed64Field(1, START_NS),
      lengthField(5, any.string("hello")),
      lengthField(9, TRACE_ID),
      lengthField(10, SPAN_ID),
    ]);
    expect(() => encodeBody(tracesRequest([logRecord]))).not.toThrow();
    const { spans, request } = rowsFromTraces(tracesRequest([logRecord]));
    expect(spans).toEqual([]);
    expect(request.refusedItems[0]!.reason).toContain("looks like logs");
  });

  it("IDS-08 metrics sent to the traces endpoint are refused with a hint", () => {
    const metric = Buffer.concat([lengthField(1, "requests"), lengthField(2, "how many"), lengthField(3, "1")]);
    const { spans, request } = rowsFromTraces(
      tracesRequest([Buffer.concat([metric, lengthField(5, lengthField(1, fixed64Field(3, START_NS)))])]),
    );
    expect(spans).toEqual([]);
    expect(request.refusedItems[0]!.reason).toContain("looks like metrics");
  });

  it("IDS-08 recorded metrics sent to the traces endpoint store nothing, whatever of them can be read", () => {
    const { body } = recordingsOf("nodesdk-defaults").find(({ path }) => path === "/v1/metrics")!;
    const { spans, request } = rowsFromTraces(body);
    expect(spans).toEqual([]);
    expect(request.refusedItems.map(({ reason }) => reason).join()).toContain("looks like metrics");
  });

  it("IDS-09 a UUID with dashes is refused with a hint", () => {
    const uuid = Buffer.from("0af76519-16cd-43dd-8448-eb211c80319c");
    expect(rowsFromTraces(tracesRequest([span({ traceId: uuid })])).request.refusedItems[0]!.reason).toContain("UUID with dashes");
  });

  it("IDS-02 hexadecimal text in the place of sixteen bytes is refused with a hint", () => {
    const text = Buffer.from("0af7651916cd43dd8448eb211c80319c");
    expect(rowsFromTraces(tracesRequest([span({ traceId: text })])).request.refusedItems[0]!.reason).toContain("hexadecimal text");
  });

  it.each([
    ["requests", "00f067aa0ba902b7", "trace_id must be 16 bytes (in JSON 32 hexadecimal digits), got a text of 8 characters"],
    ["4bf92f3577b34da6a3ce929d0e0e473", "00f067aa0ba902b7", "got a text of 31 characters"],
    ["sixteen letters!", "00f067aa0ba902b7", "got a text of 16 characters"],
    ["4bf92f3577b34da6a3ce929d0e0e4736", "eight___", "span_id must be 8 bytes (in JSON 16 hexadecimal digits), got a text of 8 characters"],
    ["4bf92f3577b34da6a3ce929d0e0e4736", "", "span_id must be 8 bytes, got 0"],
    ["0af76519-16cd-43dd-8448-eb211c80319c", "00f067aa0ba902b7", "a UUID with dashes"],
  ])("IDS-02 the ids %o and %o of OTLP/JSON are refused in its own terms", (traceId, spanId, reason) => {
    const sent = { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId, spanId, name: "n", startTimeUnixNano: "1" }] }] }] };
    const { request } = rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(sent)), "traces"));
    expect(request.refusedItems).toEqual([{ item: 0, reason: expect.stringContaining(reason) }]);
  });

  it("a parent of eight zero bytes or of a wrong length is no parent", () => {
    for (const parent of [Buffer.alloc(8), Buffer.alloc(3, 1), Buffer.alloc(0)]) {
      expect(rowsFromTraces(tracesRequest([span({ more: [lengthField(4, parent)] })])).spans[0]!["parent_span_id"]).toBeNull();
    }
  });
});

describe("times", () => {
  it("TIM-01 an end before the start is kept, the duration is 0, and a note says so", () => {
    const { spans } = rowsFromTraces(tracesRequest([span({ end: START_NS - 5_000_000n })]));
    expect(spans[0]).toMatchObject({
      duration_ns: 0,
      end_time: micros(START_NS - 5_000_000n),
      ingest_notes: { time: { negative_duration: "-5000000" } },
    });
  });

  it("TIM-02 without a start the arrival stands in, the raw value is noted, and the row may meet an earlier one", () => {
    const { request } = rowsFromTraces(tracesRequest([span({ start: 0n, end: 0n })]));
    const [row] = rowsOf(request, "spans");
    expect(row).toMatchObject({
      start_time: BigInt(RECEIVED_AT_MS) * 1000n,
      end_time: null,
      duration_ns: null,
      ingest_notes: { time: { start: "0" } },
    });
    expect(request.fresh.map(({ table }) => table.name)).not.toContain("spans");
    expect(request.revisiting.map(({ table }) => table.name)).toEqual(["spans"]);
  });

  it.each([[2n ** 63n - 1n], [2n ** 63n], [2n ** 64n - 1n], [1n], [999n], [START_NS]])(
    "TIM-03 TIM-04 the start %s keeps every nanosecond",
    (start) => {
      const [row] = rowsFromTraces(tracesRequest([span({ start, end: start })])).spans;
      expect(BigInt(row!["start_time"] as bigint) * 1000n + BigInt(row!["start_nano"] as number)).toBe(start);
      expect(row!["duration_ns"]).toBe(0);
    },
  );

  it("durations are exact to the nanosecond, also long ones", () => {
    for (const duration of [1n, 4_294_967_296n, 86_400_000_000_001n, 9_007_199_254_740_993n]) {
      const [row] = rowsFromTraces(tracesRequest([span({ end: START_NS + duration })])).spans;
      expect(BigInt(row!["duration_ns"] as number)).toBe(duration);
    }
  });

  it("a duration that no int8 holds is unknown", () => {
    expect(rowsFromTraces(tracesRequest([span({ start: 1n, end: 2n ** 64n - 1n })])).spans[0]!["duration_ns"]).toBeNull();
  });

  it("TIM-08 event times outside the span and absent ones are kept as sent", () => {
    const event = (time: bigint): Buffer =>
      lengthField(11, fixed64Field(1, time), lengthField(2, "e"), lengthField(3, keyValue("k", any.int(1))));
    const { spans } = rowsFromTraces(tracesRequest([span({ more: [event(0n), event(START_NS * 2n)] })]));
    expect(spans[0]!["events"]).toEqual([
      { name: "e", time_unix_nano: "0", attributes: { k: 1 } },
      { name: "e", time_unix_nano: String(START_NS * 2n), attributes: { k: 1 } },
    ]);
  });
});

import assert from "node:assert";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Headers } from "../../../../sdk/core/options.ts";
import { createSender, parseRetryAfter, type Sender } from "../../../../sdk/core/sender.ts";
import { recordOf } from "../../../support/sdk/records.ts";
import { type Sink, startSink } from "../../../support/sdk/sink.ts";

let sink: Sink;
const senders: Sender[] = [];

beforeEach(async () => {
  sink = await startSink();
});

afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.shutdown()));
  await sink.close();
});

/** One try takes as long as the exporter's own retries would, so the request is given a short time. */
function senderTo(
  url: string,
  more: { protocol?: "http/json" | "http/protobuf"; compression?: "gzip"; timeoutMillis?: number; headers?: Headers } = {},
): Sender {
  const sender = createSender(
    {
      url: `${url}/v1/traces`,
      headers: more.headers ?? { authorization: "Bearer k" },
      protocol: more.protocol ?? "http/json",
      compression: more.compression,
      timeoutMillis: more.timeoutMillis ?? 700,
    },
    `test/${senders.length}`,
  );
  senders.push(sender);
  return sender;
}

const spans = [recordOf("a", { n: 1 }), recordOf("b", { n: 2 })];

describe("one request", () => {
  it("carries the records as OTLP/JSON with the headers of the target", async () => {
    expect(await senderTo(sink.url).send(spans)).toEqual({ kind: "accepted" });
    const [request] = sink.requests;
    expect(request!.url).toBe("/v1/traces");
    expect(request!.headers).toMatchObject({ authorization: "Bearer k", "content-type": "application/json" });
    expect(sink.spans().map(({ name, attributes }) => [name, attributes])).toEqual([
      ["a", { n: 1 }],
      ["b", { n: 2 }],
    ]);
  });

  it.each([
    ["protobuf", { protocol: "http/protobuf" as const }, "application/x-protobuf", undefined],
    ["gzip", { compression: "gzip" as const }, "application/json", "gzip"],
  ])("is written as %s where that is asked for", async (_, more, contentType, encoding) => {
    expect(await senderTo(sink.url, more).send(spans)).toEqual({ kind: "accepted" });
    expect([sink.requests[0]!.headers["content-type"], sink.requests[0]!.headers["content-encoding"]]).toEqual([contentType, encoding]);
  });

  it.each([
    ["400", { status: 400 }, { kind: "refused", reason: "the collector answered 400" }],
    ["401", { status: 401 }, { kind: "refused", reason: "the collector answered 401" }],
    ["413", { status: 413 }, { kind: "too-large" }],
    ["503 without a time", { status: 503 }, { kind: "retry", reason: "the collector answered 503" }],
    [
      "503 in 20 s",
      { status: 503, headers: { "retry-after": "20" } },
      { kind: "retry", afterMillis: 20_000, reason: "the collector answered 503" },
    ],
    [
      "429 in 30 s",
      { status: 429, headers: { "retry-after": "30" } },
      { kind: "retry", afterMillis: 30_000, reason: "the collector answered 429" },
    ],
    ["a broken connection", { breaks: true }, { kind: "retry", reason: "the collector could not be reached (ECONNRESET)" }],
  ])("SDK-02 answered with %s says what has to follow", async (_, answer, expected) => {
    sink.answer(() => answer);
    expect(await senderTo(sink.url).send(spans)).toEqual(expected);
  });

  it.each(["http/json", "http/protobuf"] as const)("SDK-02 tells of a partial success over %s", async (protocol) => {
    const protobuf = Buffer.from([0x0a, 0x02, 0x08, 0x03]).toString("latin1");
    const body = protocol === "http/json" ? '{"partialSuccess":{"rejectedSpans":"3"}}' : protobuf;
    sink.answer(() => ({ body }));
    expect(await senderTo(sink.url, { protocol }).send(spans)).toEqual({ kind: "accepted", partial: { rejectedSpans: 3 } });
  });

  it("SDK-01 to a collector that is not there is to be tried again", async () => {
    const { url } = sink;
    await sink.close();
    expect(await senderTo(url).send(spans)).toEqual({ kind: "retry", reason: "the collector could not be reached (ECONNREFUSED)" });
  });

  it.each([
    ["rejects", () => Promise.reject(new TypeError("no token")), "TypeError"],
    ["throws", () => assert.fail("no token"), "AssertionError"],
    ["makes none", async () => undefined as never, "RangeError"],
  ])("is tried again later where the function that makes its headers %s, and says so", async (_, headers, kind) => {
    const sender = senderTo(sink.url, { headers });
    expect(await sender.send(spans)).toEqual({ kind: "retry", reason: `the function that makes the headers failed (${kind})` });
    expect(sink.requests).toEqual([]);
  });

  it("carries what a function makes, anew for each, without what no request can carry", async () => {
    let made = 0;
    const sender = senderTo(sink.url, { headers: async () => ({ "x-number": String(++made), "x-broken": "a\nb" }) });
    await sender.send(spans);
    await sender.send(spans);
    // The first are made at the start.
    expect(sink.requests.map(({ headers }) => [headers["x-number"], headers["x-broken"]])).toEqual([
      ["2", undefined],
      ["3", undefined],
    ]);
  });

  it("knows its headers before the first request, for a process that ends without one", async () => {
    const sender = senderTo(sink.url, { headers: async () => ({ authorization: "Bearer fresh" }) });
    expect(sender.headers()).toEqual({});
    await vi.waitFor(() => expect(sender.headers()).toEqual({ authorization: "Bearer fresh" }));
  });

  it("keeps to the headers of its last request when those of the start come late", async () => {
    let made = 0;
    let late = (_headers: Record<string, string>): void => {};
    const first = new Promise<Record<string, string>>((resolve) => {
      late = resolve;
    });
    const sender = senderTo(sink.url, { headers: () => (made++ === 0 ? first : Promise.resolve({ "x-number": "2" })) });
    await sender.send(spans);
    late({ "x-number": "1" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(sender.headers()).toEqual({ "x-number": "2" });
  });

  it("tells two senders' answers apart", async () => {
    const other = await startSink();
    other.answer(() => ({ status: 503, headers: { "retry-after": "20" } }));
    const [one, two] = await Promise.all([senderTo(sink.url).send(spans), senderTo(other.url).send(spans)]);
    await other.close();
    expect([one.kind, two]).toEqual(["accepted", { kind: "retry", afterMillis: 20_000, reason: "the collector answered 503" }]);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-21T08:00:00Z");
  it.each([
    ["20", 20_000],
    ["0", 0],
    ["-5", 0],
    ["Sat, 21 Nov 2026 08:00:07 GMT", 7_000],
    ["Sat, 21 Nov 2026 07:00:00 GMT", 0],
    ["999999", 3_600_000],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s means %s ms", (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});

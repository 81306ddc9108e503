import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { partial } from "../../collector/base/outcome.ts";
import { loadConfig } from "../../collector/config/index.ts";
import { transcodeJson } from "../../collector/otlp/decode-json.ts";
import { encodeBody, rowsOf } from "../support/encoding.ts";
import { protobufOfJson } from "../support/otlp-oracle-json.ts";
import { ruleIdsOf } from "../support/reliability-cases.ts";
import { repositoryRoot, sourceFiles } from "../support/source-files.ts";
import { any, lengthField, span, tracesRequest, varintField } from "../support/wire-builder.ts";
import { openRaw, post, statusesIn } from "./otlp-http/raw-connection.ts";
import { createSocketRig, type SocketRig, type SocketRigOptions } from "./otlp-http/rig.ts";

type Encoded = "JSON" | "protobuf";
const BOTH: Encoded[] = ["JSON", "protobuf"];

/** A request written as OTLP/JSON, by our reader or as bytes that protobufjs made of it. */
function encoded(request: object, as: Encoded, signal: "traces" | "logs" = "traces") {
  const json = Buffer.from(JSON.stringify(request));
  return encodeBody(as === "JSON" ? transcodeJson(json, signal) : protobufOfJson(json, signal), signal);
}

const SPAN = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  name: "n",
  startTimeUnixNano: "1763676000123456789",
  endTimeUnixNano: "1763676000123456790",
};
const tracesOf = (change: object, around: { resource?: object; scope?: object } = {}) => ({
  resourceSpans: [{ ...around.resource, scopeSpans: [{ ...around.scope, spans: [{ ...SPAN, ...change }] }] }],
});
const spanRow = (change: object, as: Encoded): Record<string, unknown> => rowsOf(encoded(tracesOf(change), as), "spans")[0]!;

/** One value of each kind, nested: all are legal wherever attributes stand. */
const ANYTHING = {
  key: "any",
  value: {
    arrayValue: {
      values: [
        {},
        { boolValue: true },
        { bytesValue: "AAE=" },
        { kvlistValue: { values: [{ key: "deep", value: { arrayValue: { values: [{ intValue: "7" }] } } }] } },
      ],
    },
  },
};
const AS_STORED = { any: [null, true, "AAE=", { deep: [7] }] };

describe.each(BOTH)("what a request may hold (%s)", (as) => {
  it("J12 values of any kind are taken on spans, events, links, resources, scopes and log records", () => {
    const attributes = [ANYTHING];
    const events = [{ name: "e", timeUnixNano: "5", attributes }];
    const links = [{ traceId: SPAN.traceId, spanId: SPAN.spanId, attributes }];
    const around = { resource: { resource: { attributes } }, scope: { scope: { name: "lib", attributes } } };
    const request = encoded(tracesOf({ attributes, events, links }, around), as);
    expect(rowsOf(request, "spans")).toMatchObject([
      { attributes: AS_STORED, events: [{ attributes: AS_STORED }], links: [{ attributes: AS_STORED }] },
    ]);
    expect(request.shared.map((row) => JSON.parse(row.attributes))).toEqual([AS_STORED, AS_STORED]);
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: "5", attributes, body: ANYTHING.value }] }] }] };
    expect(rowsOf(encoded(logs, as, "logs"), "log_records")).toMatchObject([{ attributes: AS_STORED, body: AS_STORED.any }]);
  });

  it("J16 an empty name and an end before the start are kept", () => {
    expect(spanRow({ name: "", endTimeUnixNano: "1763676000123456788" }, as)).toMatchObject({ name: "", duration_ns: 0 });
  });

  it("J17 of two attributes with one key the last counts", () => {
    const attributes = ["1", "2"].map((intValue) => ({ key: "k", value: { intValue } }));
    expect(spanRow({ attributes }, as)).toMatchObject({ attributes: { k: 2 }, ingest_notes: { duplicate_keys: 1 } });
  });

  it("J18 dropped counts, flags, trace state and links are kept", () => {
    const links = [{ traceId: SPAN.traceId, spanId: "00f067aa0ba902b7", traceState: "a=b", droppedAttributesCount: 4, flags: 257 }];
    const sent = { flags: 257, traceState: "v=1", droppedAttributesCount: 1, droppedEventsCount: 2, droppedLinksCount: 3, links };
    expect(spanRow(sent, as)).toMatchObject({
      flags: 257,
      trace_state: "v=1",
      dropped_attributes_count: 1,
      dropped_events_count: 2,
      dropped_links_count: 3,
      links: [{ span_id: "00f067aa0ba902b7", trace_state: "a=b", dropped_attributes_count: 4, flags: 257 }],
    });
  });

  it("J19 schema URLs of resource and scope are kept with them", () => {
    const resource = { resource: { attributes: [] }, schemaUrl: "https://r.test/1" };
    const scope = { scope: { name: "lib" }, schemaUrl: "https://s.test/2" };
    const { shared } = encoded(tracesOf({}, { resource, scope }), as);
    expect(shared.map(({ table, schemaUrl }) => [table, schemaUrl])).toEqual([
      ["resources", "https://r.test/1"],
      ["scopes", "https://s.test/2"],
    ]);
  });

  it("J21 every field of a log record is kept, the event's name from its field or the older attribute", () => {
    const { traceId, spanId } = SPAN;
    const full = {
      timeUnixNano: "1763676000123456789",
      observedTimeUnixNano: "1763676000123456999",
      severityNumber: 9,
      severityText: "INFO",
      body: { stringValue: "said" },
      attributes: [{ key: "k", value: { stringValue: "v" } }],
      droppedAttributesCount: 2,
      flags: 1,
      traceId,
      spanId,
      eventName: "named",
    };
    const older = { timeUnixNano: "5", attributes: [{ key: "event.name", value: { stringValue: "older" } }] };
    const rows = rowsOf(encoded({ resourceLogs: [{ scopeLogs: [{ logRecords: [full, older] }] }] }, as, "logs"), "log_records");
    expect(rows).toMatchObject([
      {
        time: 1_763_676_000_123_456n,
        time_nano: 789,
        observed_time: 1_763_676_000_123_456n,
        observed_nano: 999,
        severity_number: 9,
        severity_text: "INFO",
        body: "said",
        attributes: { k: "v" },
        dropped_attributes_count: 2,
        flags: 1,
        trace_id: traceId,
        span_id: spanId,
        event_name: "named",
      },
      { event_name: "older" },
    ]);
  });
});

it("J13 references into a table of strings, which only profiles have, count as absent", () => {
  const reference = Buffer.concat([lengthField(1, "k"), lengthField(2, varintField(8, 3))]);
  const keyless = Buffer.concat([varintField(3, 4), lengthField(2, any.int(1))]);
  const [row] = rowsOf(encodeBody(tracesRequest([span({ attributes: [reference, keyless] })])), "spans");
  expect(row).toMatchObject({ attributes: { k: null, "": 1 } });
  expect(spanRow({ attributes: [{ key: "k", value: { stringValueStrindex: 3 } }] }, "JSON")).toMatchObject({ attributes: { k: null } });
});

describe("over a socket", () => {
  let rig: SocketRig | undefined;
  const serve = async (options: SocketRigOptions = {}): Promise<SocketRig> => {
    rig = await createSocketRig(options);
    return rig;
  };
  afterEach(async () => {
    await rig?.close(100);
    rig = undefined;
  });
  const BODY = tracesRequest([span()]);

  it("H2 the ports are 4317 and 4318 of this machine unless the configuration says otherwise", () => {
    const text = readFileSync(join(repositoryRoot, "otel-config.yaml"), "utf8");
    const { config } = loadConfig({ files: [{ name: "otel-config.yaml", text }], env: {} });
    expect(config.receivers.get("otlp")?.options).toMatchObject({
      http: { endpoint: { host: "127.0.0.1", port: 4318 } },
      grpc: { endpoint: { host: "127.0.0.1", port: 4317 } },
    });
  });

  it("H15 a partial success is told only when the rest is stored", async () => {
    const stored = Promise.withResolvers<void>();
    const { port } = await serve({ before: () => stored.promise, outcome: partial(1, "one is bad") });
    const connection = await openRaw(port);
    connection.send(post({ body: BODY, headers: ["Connection: close"] }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(connection.received()).toBe("");
    stored.resolve();
    expect(await connection.closed).toContain("one is bad");
  });

  it("H21 a client that would take gzip can read the answer", async () => {
    const { url } = await serve({ outcome: partial(1, "one is bad") });
    const headers = { "content-type": "application/json", "accept-encoding": "gzip" };
    const response = await fetch(`${url}/v1/traces`, { method: "POST", headers, body: "{}" });
    expect(await response.json()).toMatchObject({ partialSuccess: { errorMessage: "one is bad" } });
  });

  it("H22 a connection serves one request after the other", async () => {
    const { port } = await serve();
    const connection = await openRaw(port);
    for (let sent = 1; sent <= 3; sent++) {
      connection.send(post({ body: BODY }));
      await connection.until((text) => statusesIn(text).length === sent);
    }
    expect(statusesIn(connection.received())).toEqual([200, 200, 200]);
    connection.destroy();
  });

  it("H23 requests of one client are served side by side, and answered in the order in which they are done", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let arrived = 0;
    const { port, seen } = await serve({ before: () => gates[arrived++]!.promise });
    const [slow, quick] = [await openRaw(port), await openRaw(port)];
    slow.send(post({ body: BODY }));
    await expect.poll(() => arrived).toBe(1);
    quick.send(post({ body: BODY }));
    gates[1]?.resolve();
    await quick.until(/ 200 /);
    expect([slow.received(), seen.length]).toEqual(["", 1]);
    gates[0]?.resolve();
    await slow.until(/ 200 /);
    for (const connection of [slow, quick]) connection.destroy();
  });
});

describe("the rules of OTLP", () => {
  const RULES = { H: 27, J: 21, G: 8 };
  const named = new Set(sourceFiles("test", ".test.ts").flatMap((file) => [...ruleIdsOf(file)]));

  it.each(Object.entries(RULES))("%s1 to %s%i are each named by a test", (letter, count) => {
    const missing = Array.from({ length: count }, (_, i) => `${letter}${i + 1}`).filter((rule) => !named.has(rule));
    expect(missing).toEqual([]);
  });
});

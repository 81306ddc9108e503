import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SpanKind } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import loadWabt from "wabt";
import { deferredJson, type RecordAttributes } from "../../../../sdk/core/deferred-text.ts";
import { createJsonBytes, type JsonBytes } from "../../../../sdk/core/json-bytes.ts";
import { createFastMemory, createPlainMemory, INSTRUCTIONS } from "../../../../sdk/core/json-escape.ts";
import { OwnSpan, type RecordFacts } from "../../../../sdk/core/record.ts";
import { createRecordWriter } from "../../../../sdk/core/record-json.ts";
import { sharedAttributes } from "../../../../sdk/core/shared-attributes.ts";
import { plainSpan } from "../../../support/sdk/records.ts";
import { repositoryRoot } from "../../../support/source-files.ts";

const origin = {
  resource: resourceFromAttributes({ "service.name": "größe", list: ["a", "b"] }),
  instrumentationScope: { name: "@genspan/sdk", version: "1" },
};
const context = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };

const spanOf = (attributes: RecordAttributes, more: Partial<RecordFacts> = {}): OwnSpan =>
  new OwnSpan({ name: 'chat "m"', context, parent: undefined, startMicros: 1e15, endMicros: 1e15 + 5, attributes, ...more }, origin);

const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const parsed = (bytes: Uint8Array | undefined): unknown => JSON.parse(textOf(bytes ?? new Uint8Array()));

/** What the official exporter would send. */
const official = (spans: ReadableSpan[]): unknown => parsed(JsonTraceSerializer.serializeRequest(spans));

const messages = [{ role: "user", parts: [{ type: "text", content: 'Say "hi"\n\\o/ ünïcödé 🙂 \u0000\u2028' }] }];

describe("records as OTLP/JSON", () => {
  it("are what the official exporter sends", async () => {
    const traceState = { serialize: () => "a=1,b=2", get: () => undefined, set: () => traceState, unset: () => traceState };
    const parent = { traceId: context.traceId, spanId: "3".repeat(16), traceFlags: 1 };
    const event = { name: "exception", time: [1, 2] as [number, number], attributes: { "exception.message": "no\nwords" } };
    const spans = [
      spanOf({
        text: "a",
        empty: "",
        long: 'x"\n'.repeat(5_000),
        n: 5,
        negative: -2,
        f: 0.5,
        yes: true,
        list: ["ä", "b"],
        numbers: [1, 2.5],
      }),
      spanOf({ "gen_ai.input.messages": deferredJson(messages, () => 0) }, { parent, kind: SpanKind.CLIENT }),
      spanOf({}, { failed: true, statusMessage: 'a "reason"', events: [event], context: { ...context, traceState } }),
      spanOf({}, { failed: true, parent: { ...parent, isRemote: true } }),
      new OwnSpan(spanOf({ other: "origin" }).facts, { ...origin, resource: resourceFromAttributes({}) }, 2),
    ];
    const bytes = await createRecordWriter().write(spans);
    expect(parsed(bytes)).toEqual(official(spans));
  });

  it("have attributes of any name, also more of them than are remembered", async () => {
    const odd = spanOf({
      'a "quoted"\n näme': 1,
      ["long".repeat(100)]: "a",
      ...Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`name-${i}`, i])),
    });
    for (let i = 0; i < 2; i++) expect(parsed(await createRecordWriter().write([odd]))).toEqual(official([odd]));
  });

  it("have the names of protobuf's JSON mapping for numbers that JSON does not know, and leave out what is unknown", async () => {
    const span = spanOf({ nan: Number.NaN, infinite: Number.NEGATIVE_INFINITY, large: 1e21, unknown: undefined });
    const text = textOf(await createRecordWriter().write([span]));
    expect(text).toContain(
      '"attributes":[{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"infinite","value":{"doubleValue":"-Infinity"}},{"key":"large","value":{"doubleValue":1e+21}}]}]}]}]}',
    );
  });

  it("share a request with spans of other makers, which the official serializer writes", async () => {
    const record = spanOf({ a: 1 });
    const other = { ...plainSpan(spanOf({ "http.method": "POST" })), name: "POST" };
    const { resourceSpans } = parsed(await createRecordWriter().write([record], [other])) as { resourceSpans: unknown[] };
    expect(resourceSpans).toEqual([record, other].flatMap((span) => (official([span]) as { resourceSpans: unknown[] }).resourceSpans));
    expect(parsed(await createRecordWriter().write([], [other]))).toEqual(official([other]));
  });

  it("are written one request after the other in the same memory, also after one that was very large", async () => {
    const writer = createRecordWriter();
    const large = spanOf({ text: "ä".repeat(2_000_000) });
    expect(parsed(await writer.write([large]))).toEqual(official([large]));
    const small = spanOf({ text: "a" });
    expect(parsed(await writer.write([small, small]))).toEqual(official([small, small]));
    expect(parsed(await writer.write([]))).toEqual({ resourceSpans: [] });
  });

  describe("that share what a call began with", () => {
    const pending = { "genspan.record": "pending" };

    it("are what the official exporter sends, whether or not anything came later", async () => {
      const shared = sharedAttributes({ model: "m", input: deferredJson(messages, () => 0) });
      const spans = [spanOf(pending, { shared }), spanOf({ answer: "a" }, { shared }), spanOf({}, { shared })];
      const expected = official(spans);
      expect(parsed(await createRecordWriter().write(spans))).toEqual(expected);
      const none = sharedAttributes({});
      expect(parsed(await createRecordWriter().write([spanOf({ a: 1 }, { shared: none }), spanOf({}, { shared: none })]))).toEqual(
        official([spanOf({ a: 1 }), spanOf({})]),
      );
    });

    it("are written once, and the same again at its end, to each destination", async () => {
      const deferred = deferredJson(messages, () => 0);
      let asked = 0;
      const shared = sharedAttributes({
        input: {
          text: () => deferred.text(),
          sizeBytes: () => deferred.sizeBytes(),
          writeTo: (json: JsonBytes) => {
            asked++;
            deferred.writeTo(json);
          },
        },
      });
      const [one, other] = [createRecordWriter(), createRecordWriter()];
      const announcement = spanOf(pending, { shared });
      for (const writer of [one, other]) expect(parsed(await writer.write([announcement]))).toEqual(official([announcement]));
      expect(asked).toBe(1);
      const final = spanOf({ answer: "a" }, { shared });
      for (const writer of [one, other]) expect(parsed(await writer.write([final]))).toEqual(official([final]));
      expect(asked).toBe(2);
    });

    it("say at the end what came later, in the place of what was said before", async () => {
      const shared = sharedAttributes({ model: "m", metadata: "{}", input: deferredJson(messages, () => 0) });
      const writer = createRecordWriter();
      await writer.write([spanOf(pending, { shared })]);
      const final = spanOf({ metadata: '{"a":1}' }, { shared });
      const bytes = await writer.write([final]);
      expect(textOf(bytes).match(/"key":"metadata"/g)).toHaveLength(1);
      expect(parsed(bytes)).toEqual(official([final]));
    });
  });

  it("let the event loop turn while many are written", async () => {
    let turns = 0;
    const count = (): void => {
      turns++;
      turning = setImmediate(count);
    };
    let turning = setImmediate(count);
    await createRecordWriter().write(Array.from({ length: 200 }, () => spanOf({ text: 'x"'.repeat(50_000) })));
    clearImmediate(turning);
    expect(turns).toBeGreaterThan(2);
  });
});

/** Texts of every kind, long ones among them. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc
    .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 2_000 }))
    .map(([text, n]) => text.repeat(n)),
);

describe.each([
  ["this processor's instructions", createFastMemory],
  ["plain JavaScript", createPlainMemory],
])("JSON bytes by %s", (_, createMemory) => {
  const written = (write: (json: ReturnType<typeof createJsonBytes>) => void): string => {
    const json = createJsonBytes(createMemory);
    write(json);
    return textOf(json.since(0));
  };

  it("hold any text, half characters mended", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(JSON.parse(written((json) => json.literal(text)))).toBe(text.toWellFormed());
      }),
    );
  });

  it("hold the JSON text of any value in a text", () => {
    const value = fc.jsonValue({ depthSize: "small", stringUnit: "binary" });
    fc.assert(
      fc.property(fc.oneof(value, anyText, fc.record({ content: anyText })), (given) => {
        const inner = JSON.parse(written((json) => json.nested(given))) as string;
        expect(JSON.parse(inner)).toEqual(JSON.parse(JSON.stringify(given).toWellFormed()));
      }),
    );
  });

  it.each([16_383, 16_384, 16_385, 32_768])("keep characters whole that stand at the end of a chunk of %i", (length) => {
    const text = `${"a".repeat(length - 1)}🙂${'"'.repeat(length)}🙂\ud800`;
    expect(JSON.parse(written((json) => json.literal(text)))).toBe(text.toWellFormed());
  });

  it("escape every byte that JSON escapes, wherever it stands, and nothing of a longer text that was there before", () => {
    const json = createJsonBytes(createMemory);
    for (let byte = 0; byte < 0x80; byte++) {
      for (const before of [129, 143, 144, 145]) {
        const text = `${".".repeat(before)}${String.fromCharCode(byte)}`;
        json.clear();
        json.literal(`${text}"\\\n${'"'.repeat(200)}`);
        json.clear();
        json.literal(text);
        expect(textOf(json.since(0))).toBe(JSON.stringify(text));
      }
    }
  });
});

it("the instructions are those of json-escape.wat, assembled", async () => {
  const wat = readFileSync(join(repositoryRoot, "sdk/core/json-escape.wat"), "utf8");
  const { buffer } = (await loadWabt()).parseWat("json-escape.wat", wat, { simd: true }).toBinary({});
  expect(INSTRUCTIONS).toBe(Buffer.from(buffer).toString("base64"));
});

it("without WebAssembly texts are escaped all the same", () => {
  vi.stubGlobal("WebAssembly", undefined);
  const json = createJsonBytes();
  vi.unstubAllGlobals();
  json.literal('"'.repeat(200));
  expect(JSON.parse(textOf(json.since(0)))).toBe('"'.repeat(200));
});

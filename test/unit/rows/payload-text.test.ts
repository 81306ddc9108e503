import { describe, expect, it } from "vitest";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, spanId, tracesRequest, varintField } from "../../support/wire-builder.ts";

const GENERATION = [
  keyValue("gen_ai.operation.name", any.string("chat")),
  keyValue("gen_ai.provider.name", any.string("openai")),
  keyValue("gen_ai.request.model", any.string("gpt-4o")),
];

/** 49 sound spans around one with the given attributes. */
function amongFifty(attributes: readonly Buffer[]): Buffer {
  const spans = Array.from({ length: 50 }, (_, i) => span({ spanId: spanId(i), attributes: i === 3 ? attributes : [] }));
  return tracesRequest(spans);
}

const attributesOf = (body: Buffer, index = 0): Record<string, unknown> =>
  rowsFromTraces(body).spans[index]!["attributes"] as Record<string, unknown>;

describe("text that PostgreSQL does not hold", () => {
  it("ENC-01 NUL becomes U+FFFD, is noted with its path, and costs no other span", () => {
    const { spans, request } = rowsFromTraces(amongFifty([keyValue("gen_ai.prompt", any.string("a\u0000b"))]));
    expect(request.refusedItems).toEqual([]);
    expect(spans).toHaveLength(50);
    expect(spans[3]!["attributes"]).toEqual({ "gen_ai.prompt": "a\uFFFDb" });
    expect(spans[3]!["ingest_notes"]).toEqual({ sanitized: { nul: ["attributes.gen_ai.prompt"] } });
    expect(spans.filter((row) => row["ingest_notes"] !== null)).toHaveLength(1);
  });

  it("ENC-01 NUL in a prompt is mended in the column it moves to", () => {
    const prompt = JSON.stringify([{ role: "user", parts: [{ type: "text", content: "x" }] }]).replace("x", "a\u0000b");
    const { spans, generations } = rowsFromTraces(
      tracesRequest([span({ attributes: [...GENERATION, keyValue("gen_ai.input.messages", any.string(prompt))] })]),
    );
    expect(generations[0]!["prompt_full_text"]).toBe(prompt.replace("\u0000", "\uFFFD"));
    expect(spans[0]!["ingest_notes"]).toEqual({ sanitized: { nul: ["prompt_full_text"] } });
  });

  it("ENC-04 invalid UTF-8 in one span becomes U+FFFD and leaves the others untouched", () => {
    const { spans } = rowsFromTraces(amongFifty([keyValue("k", any.string(Buffer.from([0x66, 0xff, 0xfe])))]));
    expect(spans).toHaveLength(50);
    expect(spans[3]!["attributes"]).toEqual({ k: "f\uFFFD\uFFFD" });
    expect(spans[3]!["ingest_notes"]).toEqual({ sanitized: { utf8: ["attributes.k"] } });
  });

  it("ENC-06 a string cut inside an emoji ends in U+FFFD", () => {
    const cut = Buffer.from("good 🎉").subarray(0, -2);
    expect(attributesOf(tracesRequest([span({ attributes: [keyValue("k", any.string(cut))] })]))).toEqual({ k: "good \uFFFD" });
  });

  it("ENC-04 invalid UTF-8 in names, keys and status messages is mended as well", () => {
    const bad = Buffer.from([0xc3, 0x28]);
    const { spans } = rowsFromTraces(
      tracesRequest([
        span({ name: bad, attributes: [keyValue(bad, any.int(1))], more: [lengthField(15, lengthField(2, bad), varintField(3, 2))] }),
      ]),
    );
    expect(spans[0]).toMatchObject({ name: "\uFFFD(", status_message: "\uFFFD(", attributes: { "\uFFFD(": 1 } });
  });

  it("ENC-22 direction marks, zero-width and escape characters are stored as they are", () => {
    const name = "\u202Eevil\u200B\u001B[31m";
    expect(rowsFromTraces(tracesRequest([span({ name })])).spans[0]!["name"]).toBe(name);
  });
});

describe("numbers and kinds", () => {
  it("ENC-09 NaN and infinities are text under custom keys, NULL in numeric columns, and remembered as doubles", () => {
    const attributes = [
      ...GENERATION,
      keyValue("gen_ai.request.temperature", any.double(Number.NaN)),
      keyValue("up", any.double(Number.POSITIVE_INFINITY)),
      keyValue("down", any.double(Number.NEGATIVE_INFINITY)),
    ];
    const { spans, generations } = rowsFromTraces(tracesRequest([span({ attributes })]));
    expect(generations[0]!["model_temperature"]).toBeNull();
    expect(spans[0]!["attributes"]).toMatchObject({ up: "Infinity", down: "-Infinity", "gen_ai.request.temperature": "NaN" });
    expect(spans[0]!["ingest_notes"]).toMatchObject({ types: { "attributes.up": "double", "attributes.down": "double" } });
  });

  it.each([[9_007_199_254_740_993n], [2n ** 63n - 1n], [-(2n ** 63n)], [0n], [-1n]])(
    "ENC-11 the integer %s keeps all its digits",
    (value) => {
      const request = encodeBody(tracesRequest([span({ attributes: [keyValue("n", any.int(value))] })]));
      const set = request.fresh.find(({ table }) => table.name === "spans")!;
      expect(set.bytes.view().includes(`{"n":${value}}`)).toBe(true);
    },
  );

  it("a double with a whole value can be told from an integer", () => {
    const request = encodeBody(tracesRequest([span({ attributes: [keyValue("d", any.double(5)), keyValue("i", any.int(5))] })]));
    expect(request.fresh[0]!.bytes.view().includes('{"d":5.0,"i":5}')).toBe(true);
  });

  it("ENC-13 bytes become base64 and are remembered as bytes", () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const { spans } = rowsFromTraces(tracesRequest([span({ attributes: [keyValue("b", any.bytes(bytes))] })]));
    expect(Buffer.from((spans[0]!["attributes"] as { b: string }).b, "base64")).toEqual(bytes);
    expect(spans[0]!["ingest_notes"]).toEqual({ types: { "attributes.b": "bytes" } });
  });

  it("ENC-14 an empty value, a key alone, an empty key and an empty element become null", () => {
    const attributes = [
      keyValue("empty", any.empty()),
      lengthField(1, "alone"),
      keyValue("", any.empty()),
      keyValue("list", any.array(any.empty(), any.int(1))),
    ];
    expect(attributesOf(tracesRequest([span({ attributes })]))).toEqual({ empty: null, alone: null, "": null, list: [null, 1] });
  });

  it("ENC-25 unknown enum values and large flags are kept or unspecified, never refused", () => {
    const more = [varintField(6, 99), lengthField(15, varintField(3, 42)), Buffer.from([0x85, 0x01, 0xff, 0xff, 0xff, 0xff])];
    const { spans } = rowsFromTraces(tracesRequest([span({ more })]));
    expect(spans[0]).toMatchObject({ kind: 99, status_code: 42, flags: 4_294_967_295 });
    const huge = rowsFromTraces(tracesRequest([span({ more: [varintField(6, 70_000)] })])).spans[0]!;
    expect(huge["kind"]).toBe(0);
  });
});

describe("keys", () => {
  it("ENC-17 of a repeated key the last value counts, and the repetition is noted", () => {
    const { spans } = rowsFromTraces(tracesRequest([span({ attributes: [keyValue("k", any.int(1)), keyValue("k", any.string("two"))] })]));
    expect(spans[0]).toMatchObject({ attributes: { k: "two" }, ingest_notes: { duplicate_keys: 1 } });
  });

  it("ENC-17 repeated keys too long for the key table are found as well", () => {
    const key = "x".repeat(500);
    const { spans } = rowsFromTraces(tracesRequest([span({ attributes: [keyValue(key, any.int(1)), keyValue(key, any.int(2))] })]));
    expect(spans[0]!["attributes"]).toEqual({ [key]: 2 });
    expect(spans[0]!["ingest_notes"]).toMatchObject({ duplicate_keys: 1 });
  });

  it("ENC-18 __proto__ and constructor are plain keys and pollute nothing", () => {
    const attributes = ["__proto__", "constructor.prototype.x", "gen_ai.prompt.__proto__.POLLUTED"].map((key) =>
      keyValue(key, any.string("x")),
    );
    attributes.push(keyValue("map", lengthField(6, lengthField(1, keyValue("__proto__", any.map({ POLLUTED: any.bool(true) }))))));
    const stored = attributesOf(tracesRequest([span({ attributes: [...GENERATION, ...attributes] })]));
    expect(Object.keys(stored)).toEqual(
      expect.arrayContaining(["__proto__", "constructor.prototype.x", "gen_ai.prompt.__proto__.POLLUTED"]),
    );
    expect(({} as Record<string, unknown>)["POLLUTED"]).toBeUndefined();
    expect(attributesOf(tracesRequest([span({ attributes: [keyValue("a", any.int(1))] })]))).toEqual({ a: 1 });
  });

  it("ENC-20 dotted keys that look like paths of each other are both kept", () => {
    expect(attributesOf(tracesRequest([span({ attributes: [keyValue("a", any.string("1")), keyValue("a.b", any.string("2"))] })]))).toEqual(
      { a: "1", "a.b": "2" },
    );
  });

  it("ENC-21 an empty and a very long name are stored whole", () => {
    const long = "n".repeat(10_000);
    expect(
      rowsFromTraces(tracesRequest([span({ name: "" }), span({ name: long, spanId: spanId(1) })])).spans.map((row) => row["name"]),
    ).toEqual(["", long]);
  });
});

describe("resources", () => {
  it.each([
    ["ENC-15 no resource at all", Buffer.alloc(0), "unknown_service"],
    ["ENC-16 an empty name", lengthField(1, keyValue("service.name", any.string(""))), "unknown_service:empty"],
    ["ENC-16 a number as name", lengthField(1, keyValue("service.name", any.int(7))), "unknown_service:not_text"],
  ])("%s gets a placeholder of its own", (_, resource, expected) => {
    expect(rowsFromTraces(tracesRequest([span()], resource)).spans[0]!["service_name"]).toBe(expected);
  });

  it("ENC-15 a bare span without resource and scope messages is stored", () => {
    const request = lengthField(1, lengthField(2, lengthField(2, span())));
    expect(rowsFromTraces(request).spans[0]).toMatchObject({ service_name: "unknown_service", scope_id: null });
  });

  it("equal resources of different requests share one id, different ones do not", () => {
    const idOf = (name: string): string | undefined =>
      encodeBody(tracesRequest([span()], lengthField(1, keyValue("service.name", any.string(name))))).shared.find(
        ({ table }) => table === "resources",
      )?.id;
    expect(idOf("a")).toBe(idOf("a"));
    expect(idOf("a")).not.toBe(idOf("b"));
  });
});

it("refused spans leave their bytes in ingest_rejected", () => {
  const bad = span({ traceId: Buffer.alloc(15, 1) });
  const request = encodeBody(tracesRequest([bad]));
  expect(rowsOf(request, "ingest_rejected")).toMatchObject([{ signal: "traces", sqlstate: null, raw: bad }]);
});

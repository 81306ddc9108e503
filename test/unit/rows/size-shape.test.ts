import { describe, expect, it } from "vitest";
import { DecodeError } from "../../../collector/otlp/decode-error.ts";
import { encodeBody, rowsFromTraces } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, spanId, tracesRequest, varint } from "../../support/wire-builder.ts";

function nested(levels: number): Buffer {
  let value = any.int(1);
  for (let i = 0; i < levels; i++) value = any.array(value);
  return value;
}

describe("depth", () => {
  it.each([60, 1_000, 3_000])("SIZ-06 a value nested %i levels is stored whole or cut, with a note", (levels) => {
    const [row] = rowsFromTraces(tracesRequest([span({ attributes: [keyValue("deep", nested(levels))] })])).spans;
    expect(row!["ingest_notes"]).toEqual(levels <= 64 ? null : { sanitized: { depth: ["attributes.deep"] } });
  });

  it("SIZ-06 20,000 levels end without a crash", () => {
    let value = Buffer.from([0x18, 1]);
    for (let i = 0; i < 20_000; i++) {
      const inner = Buffer.concat([Buffer.from([0x0a]), varint(value.length), value]);
      value = Buffer.concat([Buffer.from([0x2a]), varint(inner.length), inner]);
    }
    expect(rowsFromTraces(tracesRequest([span({ attributes: [keyValue("deep", value)] })])).spans).toHaveLength(1);
  });

  it("SIZ-08 unknown groups nested 30,000 deep do not recurse", () => {
    const groups = Buffer.concat([Buffer.alloc(30_000, 0x7b), Buffer.alloc(30_000, 0x7c)]);
    expect(rowsFromTraces(tracesRequest([span({ more: [groups] })])).spans).toHaveLength(1);
    expect(rowsFromTraces(tracesRequest([span({ more: [Buffer.alloc(30_000, 0x7b)] })])).request.refusedItems).toHaveLength(1);
  });
});

describe("numbers of parts", () => {
  it("SIZ-09 10,000 attributes, events and links are stored whole", () => {
    const attributes = Array.from({ length: 10_000 }, (_, i) => keyValue(`key.${i}`, any.int(i)));
    const event = lengthField(11, lengthField(2, "e"));
    const link = lengthField(13, lengthField(1, Buffer.alloc(16, 1)), lengthField(2, Buffer.alloc(8, 2)));
    const many = (part: Buffer): Buffer[] => Array.from({ length: 10_000 }, () => part);
    const [row] = rowsFromTraces(tracesRequest([span({ attributes, more: [...many(event), ...many(link)] })])).spans;
    expect(Object.keys(row!["attributes"] as object)).toHaveLength(10_000);
    expect((row!["attributes"] as Record<string, unknown>)["key.9999"]).toBe(9_999);
    expect([row!["events"], row!["links"]].map((list) => (list as unknown[]).length)).toEqual([10_000, 10_000]);
  });

  it("SIZ-01 a 10 MB prompt is stored whole and costs no other span", () => {
    const prompt = `[{"role":"user","parts":[{"type":"text","content":"${"lorem ipsum ".repeat(870_000)}"}]}]`;
    const attributes = [
      keyValue("gen_ai.operation.name", any.string("chat")),
      keyValue("gen_ai.request.model", any.string("m")),
      keyValue("gen_ai.input.messages", any.string(prompt)),
    ];
    const { spans, generations } = rowsFromTraces(tracesRequest([span({ attributes }), span({ spanId: spanId(1) })]));
    expect(spans).toHaveLength(2);
    expect(generations[0]!["prompt_full_text"] === prompt).toBe(true);
  });

  it("100 k different attribute names leave the process as fast and correct as before", () => {
    for (let batch = 0; batch < 20; batch++) {
      const attributes = Array.from({ length: 5_000 }, (_, i) => keyValue(`flood.${batch}.${i}`, any.int(i)));
      const [row] = rowsFromTraces(tracesRequest([span({ attributes })])).spans;
      expect(Object.keys(row!["attributes"] as object)).toHaveLength(5_000);
    }
  });
});

describe("texts that an index covers", () => {
  const call = (model: string) =>
    rowsFromTraces(
      tracesRequest([
        span({ attributes: [keyValue("gen_ai.operation.name", any.string("chat")), keyValue("gen_ai.request.model", any.string(model))] }),
      ]),
    );

  it("are stored whole up to 1,000 bytes", () => {
    const { spans, generations } = call("é".repeat(500));
    expect(generations[0]!["model_name"]).toBe("é".repeat(500));
    expect(spans[0]!["ingest_notes"]).toBeNull();
  });

  it("are cut between characters above, with a note; the attributes keep them whole", () => {
    const model = `x${"é".repeat(5_000)}`;
    const { spans, generations } = call(model);
    expect(generations[0]!["model_name"]).toBe(`x${"é".repeat(499)}`);
    expect(generations[0]!["generation_status"]).toBe("success");
    expect(spans[0]!["ingest_notes"]).toEqual({ sanitized: { length: ["model_name"] } });
    expect((spans[0]!["attributes"] as Record<string, unknown>)["gen_ai.request.model"]).toBe(model);
  });
});

describe("SIZ-15 lengths that lie", () => {
  it.each([
    ["a length of 4 GB in a short body", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3])],
    ["a length beyond 32 bits", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1])],
    ["a varint of 11 bytes", Buffer.concat([Buffer.from([0x08]), Buffer.alloc(10, 0x80), Buffer.from([1])])],
    ["a truncated message", tracesRequest([span()]).subarray(0, -3)],
    ["field number 0", Buffer.from([0x02, 0x00])],
    ["an end of group without a start", Buffer.from([0x0c])],
    ["wire type 7", Buffer.from([0x0f])],
  ])("%s is undecodable", (_, body) => {
    expect(() => encodeBody(body)).toThrow(DecodeError);
  });
});

import { describe, expect, it } from "vitest";
import { rowsFromTraces } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, tracesRequest } from "../../support/wire-builder.ts";

const attributesOf = (...values: readonly Buffer[]): unknown =>
  rowsFromTraces(
    tracesRequest([span({ attributes: [Buffer.concat([lengthField(1, "k"), ...values.map((value) => lengthField(2, value))])] })]),
  ).spans[0]?.["attributes"];

const one = any.array(any.int(1));
const two = any.array(any.int(2));
const nothing = any.array();

describe("a message sent in parts is one message (protobuf.dev, Last One Wins)", () => {
  it.each<[string, Buffer, unknown]>([
    ["two arrays", Buffer.concat([one, two]), [1, 2]],
    ["an empty array and another", Buffer.concat([nothing, two]), [2]],
    ["an array and an empty one", Buffer.concat([one, nothing]), [1]],
    ["two maps", Buffer.concat([any.map({ a: any.int(1) }), any.map({ b: any.int(2) })]), { a: 1, b: 2 }],
    ["an array, a text, an array", Buffer.concat([one, any.string("x"), two]), [2]],
    ["an array and a text", Buffer.concat([one, any.string("x")]), "x"],
    ["an array and a map", Buffer.concat([one, any.map({})]), {}],
  ])("%s in an attribute, and inside of one", (_, value, expected) => {
    expect(attributesOf(value)).toEqual({ k: expected });
    expect(attributesOf(any.array(value, any.int(9)))).toEqual({ k: [expected, 9] });
    expect(attributesOf(any.map({ m: value, n: any.int(9) }))).toEqual({ k: { m: expected, n: 9 } });
  });

  it("two values of one key, in an attribute and inside of one", () => {
    expect(attributesOf(one, two)).toEqual({ k: [1, 2] });
    const pair = Buffer.concat([lengthField(1, "m"), lengthField(2, one), lengthField(2, any.string("x")), lengthField(2, two)]);
    expect(attributesOf(lengthField(6, lengthField(1, pair)))).toEqual({ k: { m: [2] } });
  });

  it("what was mended in a part that another kind replaced is not told", () => {
    const { spans } = rowsFromTraces(
      tracesRequest([span({ attributes: [keyValue("k", any.array(Buffer.concat([any.array(any.string("\u0000")), any.string("x")])))] })]),
    );
    expect(spans[0]).toMatchObject({ attributes: { k: ["x"] }, ingest_notes: null });
  });

  it("SIZ-16 a hundred thousand parts are joined without copying what was joined before", () => {
    const parts = Buffer.concat(Array.from({ length: 100_000 }, () => any.array(any.empty())));
    const event = lengthField(11, lengthField(2, "e"), lengthField(3, keyValue("k", parts)));
    const body = tracesRequest([span({ attributes: [keyValue("k", parts), keyValue("n", any.array(parts))], more: [event] })]);
    const [row] = rowsFromTraces(body).spans;
    const attributes = row?.["attributes"] as { k: unknown[]; n: unknown[][] };
    expect([attributes.k.length, attributes.n[0]?.length]).toEqual([100_000, 100_000]);
  });
});

import { describe, expect, it } from "vitest";
import { safeJson, safeText } from "../../../../sdk/core/safe-json.ts";

const parsed = (value: unknown): unknown => JSON.parse(safeJson(value) ?? "null");

class Amount {
  readonly #cents = 1_250n;
  toJSON(): string {
    return `${this.#cents} cents`;
  }
}

const cyclic: Record<string, unknown> = { name: "a" };
cyclic["self"] = cyclic;
cyclic["list"] = [cyclic];

describe("JSON of whatever an application hands over", () => {
  it.each([
    ["plain data", { a: [1, "b", null, true] }, { a: [1, "b", null, true] }],
    ["a cycle", cyclic, { name: "a", self: "[circular]", list: ["[circular]"] }],
    ["the same object twice, without a cycle", [cyclic["name"], cyclic["name"]], ["a", "a"]],
    ["BigInt", { n: 2n ** 70n }, { n: "1180591620717411303424" }],
    ["a Date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
    ["an invalid Date", { at: new Date(Number.NaN) }, { at: null }],
    ["a Buffer", { bytes: Buffer.from("hello") }, { bytes: "aGVsbG8=" }],
    ["a large Buffer", { bytes: Buffer.alloc(100_000) }, { bytes: "[100000 bytes]" }],
    ["functions and symbols", { f: function load() {}, s: Symbol("x") }, { f: "[function load]", s: "Symbol(x)" }],
    ["Map and Set", { m: new Map([["k", 1]]), s: new Set([1, 2]) }, { m: [["k", 1]], s: [1, 2] }],
    ["an Error", { e: new TypeError("no") }, { e: { name: "TypeError", message: "no" } }],
    ["toJSON", { price: new Amount() }, { price: "1250 cents" }],
    ["NaN and Infinity", [Number.NaN, Number.POSITIVE_INFINITY], [null, null]],
    ["undefined members", { a: undefined, b: 1 }, { b: 1 }],
  ])("SDK-05 %s", (_, value, expected) => {
    expect(parsed(value)).toEqual(expected);
  });

  it("SDK-05 a getter that throws costs its own member only", () => {
    const hostile = {
      before: 1,
      get broken(): string {
        throw new Error("no");
      },
      after: 2,
    };
    expect(parsed(hostile)).toEqual({ before: 1, broken: "[unreadable]", after: 2 });
  });

  it("SDK-05 a toJSON that throws and a proxy that refuses everything", () => {
    const throwing = {
      toJSON() {
        throw new Error("no");
      },
    };
    const refusing = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("no");
        },
      },
    );
    expect(parsed({ throwing, refusing })).toEqual({ throwing: "[unreadable]", refusing: "[unreadable]" });
  });

  it("SDK-05 a member called __proto__ is data", () => {
    const text = '{"__proto__":{"admin":true},"a":1}';
    expect(safeJson(JSON.parse(text))).toBe(text);
  });

  it("SDK-05 bounds depth, length and number", () => {
    let deep: unknown = "end";
    for (let i = 0; i < 5_000; i++) deep = { deep };
    expect(safeJson(deep)!.length).toBeLessThan(2_000);
    expect(safeJson("x".repeat(50_000_000))!.length).toBeLessThan(5_000_000);
    expect((parsed(Array.from({ length: 100_000 }, () => 1)) as unknown[]).length).toBe(10_000);
  });

  it("text stays as it is", () => {
    expect([safeText("a"), safeText({ a: 1 }), safeText(undefined)]).toEqual(["a", '{"a":1}', undefined]);
  });
});

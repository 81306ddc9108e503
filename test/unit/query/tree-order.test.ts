import fc from "fast-check";
import { expect, it } from "vitest";
import { inTreeOrder } from "../../../collector/query/traces/tree-order.ts";

const span = (span_id: string, parent_span_id: string | null = null) => ({ span_id, parent_span_id });
const shape = (spans: readonly { span_id: string; parent_span_id: string | null }[]) =>
  inTreeOrder(spans).map(({ span_id, depth, orphan }) => `${" ".repeat(depth)}${span_id}${orphan ? "?" : ""}`);

it("puts parents before children and keeps siblings in their order", () => {
  expect(shape([span("root"), span("b", "a"), span("a", "root"), span("c", "root"), span("d", "a")])).toEqual([
    "root",
    " a",
    "  b",
    "  d",
    " c",
  ]);
});

it("begins a tree of its own where a parent is missing", () => {
  expect(shape([span("x", "gone"), span("y", "x")])).toEqual(["x?", " y"]);
});

it("loses and repeats nothing, also of circles and of two spans with one id", () => {
  const id = fc.constantFrom("a", "b", "c", "d", "e");
  fc.assert(
    fc.property(fc.array(fc.record({ span_id: id, parent_span_id: fc.option(id) })), (spans) => {
      const placed = inTreeOrder(spans);
      const bare = placed.map(({ span_id, parent_span_id }) => JSON.stringify([span_id, parent_span_id]));
      expect(bare.toSorted()).toEqual(spans.map(({ span_id, parent_span_id }) => JSON.stringify([span_id, parent_span_id])).toSorted());
    }),
  );
});

it("holds a chain of a hundred thousand", () => {
  const chain = Array.from({ length: 100_000 }, (_, i) => span(String(i), i === 0 ? null : String(i - 1)));
  expect(inTreeOrder(chain).at(-1)?.depth).toBe(99_999);
});

import { z } from "@hono/zod-openapi";
import { expect, it } from "vitest";
import { queryValue } from "../../../collector/api/query-value.ts";

const read = (query: string): number => queryValue(new URLSearchParams(query), "below", z.coerce.number().default(0.5));

it("a value of the query string is read; an empty one is as if it were not there", () => {
  expect(["below=0.25", "", "below=", "below=&below=2"].map(read)).toEqual([0.25, 0.5, 0.5, 2]);
});

it.each([
  ["below=1&below=2", "below may stand once only"],
  ["below=x", /^below: /],
])("?%s is refused", (query, message) => {
  expect(() => read(query)).toThrow(message);
});

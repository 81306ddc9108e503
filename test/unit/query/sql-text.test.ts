import { describe, expect, it } from "vitest";
import { name, sql } from "../../../collector/query/sql.ts";
import { sqlText } from "../../../collector/query/sql-text.ts";

describe("a question as SQL to be run again", () => {
  it.each<[string, ReturnType<typeof sql>, string]>([
    ["text with quotes", sql`SELECT ${"it's"}`, "SELECT 'it''s'"],
    ["text with backslashes", sql`SELECT ${"a\\'b"}`, "SELECT E'a\\\\''b'"],
    ["what looks like a parameter", sql`SELECT ${"$1"}, ${2}`, "SELECT '$1', '2'"],
    ["nothing", sql`SELECT ${null}::text`, "SELECT NULL::text"],
    ["lists", sql`SELECT ${['a"b', "c\\d", "e,f"]}::text[]`, `SELECT E'{"a\\\\"b","c\\\\\\\\d","e,f"}'::text[]`],
    ["times and bytes", sql`SELECT ${new Date(0)}, ${Buffer.from([1, 255])}`, "SELECT '1970-01-01T00:00:00.000Z', E'\\\\x01ff'"],
    ["pieces within each other", sql`SELECT ${name("a")} WHERE ${sql`b = ${true}`}`, `SELECT "a" WHERE b = 'true'`],
  ])("holds %s", (_name, question, text) => {
    expect(sqlText(question)).toBe(text);
  });
});

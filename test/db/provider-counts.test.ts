import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

describeEachServer("counts of providers", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  it.each([
    ["of null", null, null, null],
    ["of what is no object", [1], null, null],
    ["of an empty report", {}, null, null],
    [
      "in the order of their names, whatever the report's",
      {
        xai: { generated: 3, rejected: 1 },
        OpenAI: { generated: 12, api_calls: 30, failures: 0, evaluated: 11, approved: 10, rejected: 1 },
      },
      ["OpenAI", "xai"],
      [
        ["12", "3"],
        ["30", null],
        ["0", null],
        ["11", null],
        ["10", null],
        ["1", "1"],
      ],
    ],
    [
      "where a number is a text or a part of one",
      { a: { generated: "12", api_calls: 1.5, failures: null, evaluated: [1], approved: {} }, b: 7 },
      ["a", "b"],
      [
        [null, null],
        ["1.5", null],
        [null, null],
        [null, null],
        [null, null],
        [null, null],
      ],
    ],
  ])("%s", async (_, metrics, names, counts) => {
    const json = JSON.stringify(metrics);
    const [row] = await sql`
      SELECT genspan_provider_names(${json}::text::jsonb) AS names, to_jsonb(genspan_provider_counts(${json}::text::jsonb)::text[]) AS counts`;
    expect(row).toEqual({ names, counts });
  });

  it("stay exact beyond 2^53", async () => {
    const [row] = await sql`SELECT (genspan_provider_counts('{"a": {"generated": 9007199254740993}}'))[1][1]::text AS generated`;
    expect(row).toEqual({ generated: "9007199254740993" });
  });
});

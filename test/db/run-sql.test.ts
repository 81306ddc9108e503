import { afterAll, beforeAll, expect, it } from "vitest";
import { runSql, type SqlCell } from "../../collector/query/run-sql.ts";
import { ensureReader } from "../../schema/reader.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

describeEachServer("a query of a person's own", (server) => {
  let database: TestDatabase;
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    url = (await ensureReader({ url: database.url })).url;
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  const ask = async (query: string, timeoutMillis = 10_000) => {
    const { columns, batches } = await runSql(query, { url, schema: "public", projectId: 1, timeoutMillis });
    const rows: (readonly SqlCell[])[] = [];
    for await (const batch of batches) rows.push(...batch);
    return { columns, rows };
  };

  it("gives rows and their columns, also where there are none", async () => {
    expect(await ask("SELECT 1 AS a, 'x' AS b")).toEqual({ columns: ["a", "b"], rows: [[1, "x"]] });
    expect(await ask("SELECT 1 AS a WHERE false")).toEqual({ columns: ["a"], rows: [] });
    expect((await ask("SELECT g FROM generate_series(1, 1234) g")).rows).toHaveLength(1_234);
    expect(await ask("SET genspan.nothing = '1'")).toEqual({ columns: [], rows: [] });
  });

  it.each(["EXPLAIN SELECT 1", "explain (costs off) SELECT 1", "-- why\n /* so */ EXPLAIN ANALYZE SELECT 1"])(
    "tells the plan of %j",
    async (query) => {
      const { columns, rows } = await ask(query);
      expect(columns).toEqual(["QUERY PLAN"]);
      expect(String(rows[0]?.[0])).toMatch(/^Result/);
    },
  );

  it("tells a setting", async () => {
    expect(await ask("SHOW search_path")).toEqual({ columns: ["search_path"], rows: [["public"]] });
  });

  it.each(["", ";", "-- nothing", "/* nothing */"])("%j ends without rows", async (query) => {
    expect(await ask(query)).toEqual({ columns: [], rows: [] });
  });

  it("is refused where it changes something, takes too long, or is a copy", async () => {
    await expect(ask("DELETE FROM spans")).rejects.toMatchObject({ code: "25006" });
    await expect(ask("SELECT pg_sleep(60)", 100)).rejects.toMatchObject({ code: "57014" });
    await expect(ask("COPY (SELECT 1) TO STDOUT")).rejects.toThrow(/COPY is not for this command/);
    await expect(ask("SELECT 1; SELECT 2")).rejects.toMatchObject({ code: "42601" });
    await expect(ask("SELEC 1")).rejects.toMatchObject({ code: "42601" });
  });
});

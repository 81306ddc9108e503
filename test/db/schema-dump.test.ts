import { readFileSync } from "node:fs";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GENERATION_LOGS, INGEST_REJECTED, LOG_RECORDS, SPANS } from "../../collector/rows/table-spec.ts";
import { dumpSchema } from "../../schema/dump.ts";
import { PARTITIONED_TABLES } from "../../schema/partitions.ts";
import { describeSchema } from "../../schema/reference.ts";
import { createEmptyDatabase, createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

const SCHEMA_SQL = new URL("../../schema/schema.sql", import.meta.url);

describeEachServer("the migrated schema", (server) => {
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

  // `npm run schema:dump` runs these two with -u, which writes the files.
  it("is what schema/schema.sql shows", async () => {
    await expect(await dumpSchema(sql)).toMatchFileSnapshot(SCHEMA_SQL.pathname);
  });

  it("is what schema/README.md describes", async () => {
    await expect(await describeSchema(sql)).toMatchFileSnapshot(new URL("../../schema/README.md", import.meta.url).pathname);
  });

  it("comes out the same when schema.sql is executed instead of the migrations", async (test) => {
    const [{ hasLz4 }] = await sql<[{ hasLz4: boolean }]>`
      SELECT 'lz4' = ANY (enumvals) AS "hasLz4" FROM pg_settings WHERE name = 'default_toast_compression'`;
    if (!hasLz4) return test.skip("schema.sql names lz4, which this server was built without");
    const other = await createEmptyDatabase(server);
    const copy = postgres(other.url, { max: 1, onnotice: () => {} });
    await copy.unsafe(readFileSync(SCHEMA_SQL, "utf8"));
    const dump = await dumpSchema(copy);
    await copy.end();
    await other[Symbol.asyncDispose]();
    expect(dump).toBe(readFileSync(SCHEMA_SQL, "utf8"));
  });

  it("explains every table, column, view and function", async () => {
    const unexplained = await sql`
      SELECT c.relname, a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind <> 'v'
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
        AND (obj_description(c.oid, 'pg_class') IS NULL OR (c.relkind <> 'v' AND col_description(c.oid, a.attnum) IS NULL))
      UNION ALL SELECT proname, NULL FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL`;
    expect(unexplained).toEqual([]);
  });

  it("has row-level security on every table of a project, with views that keep to it", async () => {
    const open = await sql<{ name: string }[]>`
      SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'project_id'
      WHERE c.relnamespace = 'public'::regnamespace
        AND CASE c.relkind WHEN 'v' THEN NOT 'security_invoker=true' = ANY (coalesce(c.reloptions, '{}'))
          WHEN 'r' THEN NOT c.relrowsecurity WHEN 'p' THEN NOT c.relrowsecurity ELSE false END`;
    expect(open).toEqual([]);
  });

  it("has no foreign key, no clock in a default, and no trigger but the one that keeps the audit log", async () => {
    expect(await sql`SELECT tgname FROM pg_trigger`).toEqual([{ tgname: "audit_log_kept" }]);
    expect(await sql`SELECT conname FROM pg_constraint WHERE contype = 'f'`).toEqual([]);
    expect(await sql`SELECT adrelid::regclass FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) ~ '(now|clock_timestamp)\\('`).toEqual([]);
  });

  it("has a DEFAULT partition in every partitioned table", async () => {
    const parents = await sql<{ name: string }[]>`SELECT partrelid::regclass::text AS name FROM pg_partitioned_table WHERE partdefid <> 0`;
    expect(parents.map((row) => row.name).toSorted()).toEqual(PARTITIONED_TABLES.map((table) => table.name).toSorted());
  });

  it.each([SPANS, GENERATION_LOGS, LOG_RECORDS, INGEST_REJECTED])(
    "$name has the columns and the key that rows are encoded for",
    async (table) => {
      const columns = await sql<{ name: string; required: boolean }[]>`
      SELECT attname AS name, attnotnull AND attgenerated = '' AS required FROM pg_attribute
      WHERE attrelid = ${table.name}::regclass AND attnum > 0 ORDER BY attnum`;
      const names = columns.map((column) => column.name);
      expect(names.filter((name) => table.columns.includes(name))).toEqual(table.columns);
      expect(columns.filter((column) => column.required && !table.columns.includes(column.name))).toEqual([]);
      const [key] = await sql<[{ definition: string }]>`
      SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid = ${table.name}::regclass AND contype = 'p'`;
      expect(key.definition.replaceAll('"', "")).toBe(`PRIMARY KEY (${table.keyColumns.join(", ")})`);
    },
  );

  it("gives exact Unix nanoseconds, before 1970 too", async () => {
    const [row] = await sql<[{ late: string; early: string; none: string | null }]>`
      SELECT genspan_unix_nano('2026-11-20 10:11:12.123456+00', 789::smallint) AS late,
        genspan_unix_nano('1969-12-31 23:59:59.999999+00', 1::smallint) AS early, genspan_unix_nano(NULL, 1::smallint) AS none`;
    expect(row).toEqual({ late: "1795169472123456789", early: "-999", none: null });
  });
});

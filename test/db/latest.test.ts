import { afterAll, beforeAll, expect, it } from "vitest";
import { latest } from "../../collector/query/latest.ts";
import { createPool } from "../../collector/query/pool.ts";
import type { Sql } from "../../schema/connect.ts";
import { createPartition, PARTITIONED_TABLES } from "../../schema/partitions.ts";
import { ensureReader } from "../../schema/reader.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SCHEMA = "public";

describeEachServer("what arrived last", (server) => {
  let database: TestDatabase;
  let writer: Sql;
  let reader: Sql;
  const now = Date.now();
  const at = (minutesAgo: number): Date => new Date(now - minutesAgo * MINUTE_MS);

  /** A span and its model call, received a moment after it began. */
  async function add(projectId: number, n: number, minutesAgo: number, status = "success"): Promise<string> {
    const ids = { trace_id: n.toString(16).padStart(32, "0"), span_id: n.toString(16).padStart(16, "0") };
    const start = { project_id: projectId, ...ids, start_time: at(minutesAgo) };
    const span = {
      ...start,
      start_nano: 0,
      resource_id: "00000000-0000-0000-0000-000000000000",
      name: `span ${n}`,
      kind: 3,
      status_code: 1,
      service_name: "shop",
      attributes: {},
      received_at: at(minutesAgo),
    };
    const times = { logged_at: at(minutesAgo), updated_at: at(minutesAgo), received_at: at(minutesAgo) };
    await writer`INSERT INTO spans ${writer(span)}`;
    await writer`INSERT INTO generation_logs ${writer({ ...start, dialect: "semconv", generation_status: status, tokens_total: 10, ...times })}`;
    return ids.trace_id;
  }

  beforeAll(async () => {
    database = await createTestDatabase(server);
    writer = createPool(database.url, 1);
    reader = createPool((await ensureReader({ url: database.url, schema: SCHEMA })).url, 3);
  });
  afterAll(async () => {
    await Promise.all([writer?.end(), reader?.end()]);
    await database?.[Symbol.asyncDispose]();
  });

  it("is nothing where nothing came", async () => {
    expect(await latest(reader, { schema: SCHEMA, projectId: 1, limit: 5 })).toEqual({
      spans: [],
      calls: [],
      hour: { calls: "0", failed: "0", tokens: null },
    });
  });

  it("is the newest first, of one project only, and not what claims to come from the future", async () => {
    const ours: string[] = [];
    for (const [n, minutesAgo] of [90, 30, 4, 1].entries())
      ours.unshift(await add(1, n + 1, minutesAgo, minutesAgo === 4 ? "failed" : "success"));
    await add(2, 100, 2);
    await add(1, 200, -60 * 24);
    const { spans, calls, hour } = await latest(reader, { schema: SCHEMA, projectId: 1, limit: 3 });
    expect(spans?.map((span) => span.trace_id)).toEqual(ours.slice(0, 3));
    expect(calls?.map((call) => call.trace_id)).toEqual(ours.slice(0, 3));
    expect(hour).toEqual({ calls: "3", failed: "1", tokens: "30" });
  });

  it("shows what arrived last first, also where it began earlier and the table is full of newer beginnings", async () => {
    const today = new Date(Math.floor(now / DAY_MS) * DAY_MS);
    const table = PARTITIONED_TABLES.find(({ name }) => name === "spans")!;
    await createPartition({ sql: writer, schema: SCHEMA, table }, { from: today, to: new Date(today.getTime() + DAY_MS) });
    const store = (from: number, to: number, began: Date, arrived: Date) => writer`
      INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, name, kind, service_name, status_code, attributes, resource_id, received_at)
      SELECT 3, lpad(n::text, 32, '0'), lpad(n::text, 16, '0'), ${began}, 0, 'span ' || n, 3, 'shop', 0, jsonb_build_object('text', repeat(md5(n::text), 20)),
        '00000000-0000-0000-0000-000000000000', ${arrived} FROM generate_series(${from}::int, ${to}::int) AS n`;
    await store(1, 5_000, at(0), at(0));
    await store(5_001, 5_003, new Date(Math.max(today.getTime(), at(600).getTime())), new Date(now + 1_000));
    const { spans } = await latest(reader, { schema: SCHEMA, projectId: 3, limit: 3 });
    expect(spans?.map(({ name }) => name).toSorted()).toEqual(["span 5001", "span 5002", "span 5003"]);
  });

  it("finds a few spans among many of another project", async () => {
    const { spans } = await latest(reader, { schema: SCHEMA, projectId: 2, limit: 3 });
    expect(spans?.map(({ name }) => name)).toEqual(["span 100"]);
  });

  it("tells what it can where a part cannot be read", async () => {
    await writer`ALTER TABLE generation_logs RENAME TO elsewhere`;
    const { spans, calls, hour } = await latest(reader, { schema: SCHEMA, projectId: 1, limit: 3 });
    expect([spans?.length, calls, hour]).toEqual([3, undefined, undefined]);
  });
});

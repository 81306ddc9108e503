import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import postgres, { type Sql } from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { ByteWriter } from "../../../collector/base/byte-writer.ts";
import { frameTables } from "../../../collector/exporters/postgres/copy-frame.ts";
import { gatherRows } from "../../../collector/exporters/postgres/gather.ts";
import type { ScriptStatement } from "../../../collector/exporters/postgres/script.ts";
import { createStatements } from "../../../collector/exporters/postgres/statements.ts";
import { writeTransaction } from "../../../collector/exporters/postgres/transaction.ts";
import { connectWriter, type WriterConnection } from "../../../collector/exporters/postgres/writer-connection.ts";
import { GENERATION_LOGS, SPANS } from "../../../collector/rows/table-spec.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../../support/database.ts";
import { encodedRequest, generation, type Item, span } from "../../support/encoded-request.ts";
import { partOf } from "../../support/pending-parts.ts";

const statements = createStatements({ schema: "public", statementTimeoutMillis: 4_000, lockTimeoutMillis: 2_000 });

/** A whole transaction: BEGIN, one COPY per table, COMMIT. */
function script(items: Item[][], last = "COMMIT"): ScriptStatement[] {
  const tables = gatherRows([partOf(encodedRequest(items))], "fresh");
  const data = frameTables(new ByteWriter(), tables);
  const copies = tables.map(({ table }, i) => ({ sql: statements.copy(table), copyData: data[i]! }));
  return [...statements.begin.map((sql) => ({ sql })), ...copies, { sql: last }];
}

/** Enough that most of it is still under way when the server refuses it. */
const large = (change: { prompt?: string; attributes?: string } = {}): Item[][] =>
  Array.from({ length: 1_000 }, (_, i) =>
    generation(`g${i}`, { prompt_full_text: change.prompt ?? "p".repeat(3_000) }, { attributes: change.attributes ?? "{}" }),
  );

describeEachServer("a transaction in one write", (server) => {
  let database: TestDatabase;
  let connection: WriterConnection;
  let sql: Sql;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 2, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    connection = await connectWriter({ url: database.url, timeoutMillis: 3_000 });
  });
  afterEach(async () => {
    await connection.close();
    await sql`TRUNCATE spans, generation_logs`;
  });
  const stored = async () =>
    (await sql`SELECT (SELECT count(*)::int FROM spans) AS spans, (SELECT count(*)::int FROM generation_logs) AS logs`)[0];

  it("commits several COPYs and says so with one tag per statement", async () => {
    const results = await connection.run(script([generation("a"), span("b")]));
    expect(results.map(({ tag }) => tag)).toEqual(["BEGIN", "SET", "SET", "SET", "SET", "COPY 1", "COPY 2", "COMMIT"]);
    expect(await stored()).toEqual({ spans: 2, logs: 1 });
  });

  it.each([
    ["a duplicate in the first COPY", "23505", () => script(large()), () => sql`DELETE FROM spans`],
    ["a duplicate in the second COPY", "23505", () => script(large()), () => sql`DELETE FROM generation_logs`],
    ["bad data in the last COPY", "22P02", () => script(large({ attributes: "{broken" })), () => sql`TRUNCATE spans, generation_logs`],
  ])("reports %s, stores nothing and leaves the session usable", async (_, code, failing, prepare) => {
    await connection.run(script(large()));
    await prepare();
    const before = await stored();
    await expect(connection.run(failing())).rejects.toMatchObject({ code });
    expect((await connection.run([{ sql: "ROLLBACK" }]))[0]?.tag).toBe("ROLLBACK");
    expect(await stored()).toEqual(before);
    const after = await connection.run(script([generation("afterwards")]));
    expect(after.at(-1)?.tag).toBe("COMMIT");
  });

  it("reports a missing table before its data is read, and leaves the session usable", async () => {
    const wrong = script(large()).map((each) => ({ ...each, sql: each.sql.replace('"spans"', '"nothing"') }));
    await expect(connection.run(wrong)).rejects.toMatchObject({ code: "42P01" });
    await connection.run([{ sql: "ROLLBACK" }]);
    expect((await connection.run(script([span("a")]))).at(-1)?.tag).toBe("COMMIT");
  });

  it("never takes a transaction for stored that ended otherwise than with COMMIT", async () => {
    const parts = [partOf(encodedRequest([span("a")]))];
    const rollingBack: WriterConnection = {
      ...connection,
      run: (steps) => connection.run(steps.map((each) => (each.sql === "COMMIT" ? { sql: "ROLLBACK" } : each))),
    };
    await expect(writeTransaction({ connection: rollingBack, statements, out: new ByteWriter() }, parts, "fast")).rejects.toThrow(
      "ROLLBACK",
    );
    expect(await stored()).toEqual({ spans: 0, logs: 0 });
  });

  it("OPS-01 an attempt after a lost reply counts its own rows as stored and those of other deliveries as duplicates", async () => {
    const received_at = Date.UTC(2026, 5, 2);
    await connection.run(script([span("old"), span("own", { received_at })]));
    const part = partOf(encodedRequest([span("old", { received_at }), span("own", { received_at }), span("new", { received_at })]));
    const again = async (unsure: boolean) => {
      await sql`DELETE FROM spans WHERE name = 'span new'`;
      const { stored } = await writeTransaction({ connection, statements, out: new ByteWriter(), unsure }, [part], "careful");
      return [...(stored.get(part) ?? [])].toSorted();
    };
    expect([await again(true), await again(false)]).toEqual([[1, 2], [2]]);
  });

  it("ends with an error when the server ends the session in the middle", async () => {
    const [pid] = await connection.run([{ sql: "SELECT pg_backend_pid()" }]);
    const held = await sql.reserve();
    await held`BEGIN`;
    await held`LOCK TABLE spans IN ACCESS EXCLUSIVE MODE`;
    const outcome = connection.run(script(large())).catch((error: unknown) => error);
    await sql`SELECT pg_terminate_backend(${Number(pid?.rows[0]?.[0])})`;
    expect(await outcome).toMatchObject({ code: "57P01" });
    await connection.lost;
    expect(connection.alive).toBe(false);
    await held`ROLLBACK`;
    held.release();
  });

  it("MEM-03 keeps nothing of the statements that a session has run", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const runOne = async () => new WeakRef(await connection.run([{ sql: "SELECT 1" }]));
    const results: WeakRef<object>[] = [];
    for (let i = 0; i < 20; i++) results.push(await runOne());
    await expect
      .poll(() => {
        collect();
        return results.filter((each) => each.deref() !== undefined).length;
      })
      .toBeLessThan(3);
    expect(connection.alive).toBe(true);
  });

  it("DBF-16 leaves nothing behind in the session that a pooler would have to keep: no prepared statement, no setting", async () => {
    const parts = [partOf(encodedRequest([generation("a")]))];
    await connection.query(statements.insertShared("resources"), [[1], ["aa".repeat(16)], ["{}"], [null], [null]]);
    for (const path of ["fast", "careful"] as const) await writeTransaction({ connection, statements, out: new ByteWriter() }, parts, path);
    const [prepared, settings, tables] = await connection.run([
      { sql: "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''" },
      { sql: "SELECT name FROM pg_settings WHERE source = 'session'" },
      { sql: "SELECT relname FROM pg_class WHERE relname LIKE 'genspan_stage%'" },
    ]);
    expect([prepared?.rows, settings?.rows, tables?.rows]).toEqual([[["0"]], [], []]);
  });

  it.each(["key", "timeless"] as const)(
    "looks rows up by their %s, however large the tables: no plan reads a table as a whole",
    async (identity) => {
      await connection.run(script(large()));
      await sql`ANALYZE spans, generation_logs`;
      for (const table of [SPANS, GENERATION_LOGS]) {
        const explained = [statements.conflicting(table, identity), ...(identity === "timeless" ? [statements.mergeTimeless(table)] : [])];
        const results = await connection.run([
          ...[...statements.begin, ...statements.planLookups, statements.createStaging(table)].map((each) => ({ sql: each })),
          ...explained.map((each) => ({ sql: `EXPLAIN ${each}` })),
          { sql: "ROLLBACK" },
        ]);
        const scans = results.flatMap(({ rows }) => rows.flat()).filter((line) => line?.includes("Seq Scan") === true);
        expect(scans.filter((line) => line?.includes("genspan_stage_") !== true)).toEqual([]);
      }
    },
  );

  it("commits durably although the role says otherwise", async () => {
    await sql.unsafe(`ALTER ROLE CURRENT_USER IN DATABASE ${new URL(database.url).pathname.slice(1)} SET synchronous_commit = off`);
    const second = await connectWriter({ url: database.url, timeoutMillis: 3_000 });
    const results = await second.run([
      { sql: "SHOW synchronous_commit" },
      ...statements.begin.map((each) => ({ sql: each })),
      { sql: "SHOW synchronous_commit" },
      { sql: "COMMIT" },
    ]);
    expect(results.flatMap(({ rows }) => rows.flat())).toEqual(["off", "on"]);
    await second.close();
  });
});

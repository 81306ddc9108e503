import postgres, { type Sql } from "postgres";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLog } from "../../../collector/base/log.ts";
import { SetupError } from "../../../collector/base/setup-error.ts";
import { checkWriter } from "../../../collector/exporters/postgres/check-writer.ts";
import { createEmptyDatabase, createTestDatabase, describeEachServer, type TestDatabase } from "../../support/database.ts";

describeEachServer("the writer's start check", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  const role = `writer_${process.pid}`;
  beforeEach(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
  });
  afterEach(async () => {
    await sql.unsafe(`DO $$ BEGIN IF to_regrole('${role}') IS NOT NULL THEN DROP OWNED BY ${role}; DROP ROLE ${role}; END IF; END $$`);
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  const check = (url = database.url, schema = "public") =>
    checkWriter({ url, schema, connections: 2, timeoutMillis: 2_000, log: createLog("silent") });
  async function asRole(...grants: string[]): Promise<string> {
    await sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    for (const grant of grants) await sql.unsafe(grant);
    const url = new URL(database.url);
    url.username = role;
    url.password = "secret";
    return url.href;
  }
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SetupError);
    return (error as SetupError).message;
  };
  const ALL = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO";

  it("lets the owner of the tables pass", async () => {
    await expect(check()).resolves.toBeUndefined();
  });

  it("names a missing table and the command that makes it", async () => {
    const empty = await createEmptyDatabase(server);
    expect(await refusal(check(empty.url))).toMatch(/^the table "public"\."[a-z_]+" is missing: run genspan migrate$/);
    await empty[Symbol.asyncDispose]();
  });

  it("names the missing right and the GRANT that gives it", async () => {
    const url = await asRole(`ALTER ROLE ${role} BYPASSRLS`, `GRANT SELECT ON spans TO ${role}`);
    expect(await refusal(check(url))).toContain(`GRANT SELECT, INSERT, UPDATE ON "public"."generation_logs" TO "${role}"`);
  });

  it("refuses a role under row-level security, for which COPY is refused", async () => {
    const url = await asRole(`${ALL} ${role}`, "ALTER TABLE log_records ENABLE ROW LEVEL SECURITY");
    expect(await refusal(check(url))).toContain("row-level security applies to the role");
  });

  it("refuses a server that takes no writes", async () => {
    const name = new URL(database.url).pathname.slice(1);
    await sql.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    expect(await refusal(check())).toContain("takes writes");
  });

  it("says in one sentence that nobody answers, without the password", async () => {
    const url = new URL(database.url);
    url.port = "1";
    const sentence = await refusal(check(url.href));
    expect(sentence).toContain("check DATABASE_URL");
    expect(sentence).not.toContain(url.password);
  });
});

import { createHash } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { TRACE, tracesOf } from "../support/otlp-json.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";

/** A collector hears of an erasure within two seconds, and takes away within half a minute what it stored before. */
const SETTLED_WITHIN_MS = 90_000;

describe("a running collector", { timeout: 180_000 }, () => {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram();
  });
  afterAll(async () => {
    await program.end();
    removeFolder(program);
  });

  const body = JSON.stringify(
    tracesOf({ id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "user.id": "u-erased" } }),
  );
  const send = () => fetch(`${program.otlpUrl}/v1/traces`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const callsOfUser = async (): Promise<number> => {
    const response = await fetch(`${program.webUrl}/api/generations?user=u-erased`);
    return ((await response.json()) as { data: unknown[] }).data.length;
  };

  it("PRV-01 does not keep a late retry of what was erased: it acknowledges it, and it is not there", async () => {
    expect((await send()).status).toBe(200);
    expect(await callsOfUser()).toBe(1);
    const erased = await fetch(`${program.webUrl}/api/erase`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "user", value: "u-erased" }),
    });
    expect(await erased.json()).toMatchObject({ traces: 1, deleted: { spans: 1, generation_logs: 1 } });
    // The first retries may come before the collector has heard of it: what they store is taken away again.
    await expect
      .poll(
        async () => {
          expect((await send()).status).toBe(200);
          return callsOfUser();
        },
        { timeout: SETTLED_WITHIN_MS, interval: 500 },
      )
      .toBe(0);
    expect((await send()).status).toBe(200);
    expect(await callsOfUser()).toBe(0);
  });
});

describe("an erasure beside another collector", { timeout: 120_000 }, () => {
  const server = { kind: "embedded", adminUrl: inject("postgresUrls").embedded } as const;
  const HOST = "canary-of-a-host";
  let database: TestDatabase;
  let other: Program;
  let sql: Sql;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
    other = await startProgram({ env: { DATABASE_URL: database.url } });
  });
  afterAll(async () => {
    await other?.end();
    removeFolder(other);
    await sql?.end();
    await database?.[Symbol.asyncDispose]();
  });

  /** A call of a user on the host, in a trace of its own. */
  const call = async (trace: string, user: string): Promise<void> => {
    const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "user.id": user };
    const text = JSON.stringify(tracesOf({ id: "call", attributes: chat })).replaceAll(
      TRACE,
      createHash("md5").update(trace).digest("hex"),
    );
    const body = text.replaceAll(
      '{"key":"service.name","value":{"stringValue":"test"}}',
      `{"key":"host.name","value":{"stringValue":"${HOST}"}}`,
    );
    const sent = await fetch(`${other.otlpUrl}/v1/traces`, { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(sent.status).toBe(200);
  };
  const hosts = async (): Promise<number> => (await sql`SELECT FROM resources WHERE attributes ->> 'host.name' = ${HOST}`).length;
  const spansWithoutResource = async (): Promise<number> =>
    (await sql`SELECT FROM spans s WHERE NOT EXISTS (SELECT FROM resources r WHERE r.project_id = s.project_id AND r.id = s.resource_id)`)
      .length;

  it("PRV-01 leaves nothing of what only the erased came from; the collector that remembered it stores it again for others", async () => {
    await call("mine", "me");
    expect(await hosts()).toBe(1);
    const erased = await runCli(["erase", "user", "me", "--yes", "-o", "json", "--database-url", database.url, "--data-dir", other.folder]);
    expect(JSON.parse(erased.stdout)).toMatchObject({ deleted: { spans: 1, resources: 1 } });
    expect(await hosts()).toBe(0);
    // Whether it has heard by now or not, each span has its resource in the end.
    await call("theirs", "somebody");
    await expect.poll(spansWithoutResource, { timeout: SETTLED_WITHIN_MS, interval: 250 }).toBe(0);
    expect(await hosts()).toBe(1);
  });
});

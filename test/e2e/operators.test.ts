import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runCli } from "../support/program.ts";

describe("commands for those who run a collector", { timeout: 120_000 }, () => {
  const server = { kind: "embedded", adminUrl: inject("postgresUrls").embedded } as const;
  let database: TestDatabase;
  let folder: string;
  let sql: Sql;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    folder = mkdtempSync(join(tmpdir(), "genspan-operators-"));
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
    for (const [project, age] of [
      [1, "100 days"],
      [1, "1 day"],
      [2, "100 days"],
    ] as const)
      await sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, prompt_full_text, prompt_format, tokens_total, logged_at, updated_at, received_at)
        VALUES (${project}, md5(random()::text), left(md5(random()::text), 16), now() - ${age}::interval, 'x', 'success', 'the words', 'text', 7, now(), now(), now())`;
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await sql.end();
    await database[Symbol.asyncDispose]();
  });
  const cli = (...args: string[]) => runCli([...args, "--database-url", database.url, "--data-dir", folder]);
  const prompts = async (): Promise<unknown[]> =>
    (await sql`SELECT prompt_full_text FROM generation_logs ORDER BY start_time`).map((row) => row["prompt_full_text"]);

  it("make a project, a key for it, and that key's successor", async () => {
    const project = await cli("project", "create", "shop");
    expect(project).toMatchObject({ code: 0, stdout: "2\n" });
    expect(await cli("project", "create", "shop")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is a project of that name already."),
    });
    const key = await cli("key", "create", "--name", "app", "--project", "2", "--expires", "2999-01-01");
    expect(key.stdout).toMatch(/^gs_\S+\n$/);
    const [{ id }] = JSON.parse((await cli("key", "list", "-o", "json")).stdout) as [{ id: string }];
    const rotated = await cli("key", "rotate", id, "--grace-hours", "1");
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gs_\S+\n$/) });
    expect(rotated.stdout).not.toBe(key.stdout);
    expect((await cli("key", "rotate", "0190b1c6-0000-7000-8000-000000000000")).code).toBe(3);
    expect((await cli("key", "create", "--name", "x", "--project", "99")).code).toBe(3);
    expect((await cli("key", "create", "--name", "x", "--expires", "2020-01-01")).code).toBe(2);
  });

  it("make a login for SQL that reads one project, and take it away", async () => {
    const login = `genspan_op_${process.pid}`;
    const { code, stdout } = await cli("key", "sql-login", login, "--project", "2");
    expect(code).toBe(0);
    const reader = postgres(stdout.trim(), { max: 1, onnotice: () => {} });
    expect(await reader`SELECT project_id FROM generation_logs`).toMatchObject([{ project_id: 2 }]);
    await expect(reader`DELETE FROM generation_logs`).rejects.toThrow();
    await reader.end();
    expect((await cli("key", "sql-login", login, "--project", "2", "--drop")).code).toBe(0);
    const [left] = await sql`SELECT count(*)::int AS roles FROM pg_roles WHERE rolname = ${login}`;
    expect(left).toEqual({ roles: 0 });
  });

  it("move old content into files and back, numbers staying where they are", async () => {
    expect(JSON.parse((await cli("archive", "create", "--older-than", "90d", "--dry-run", "-o", "json")).stdout)).toMatchObject([
      { table: "generation_logs", rows: 2 },
    ]);
    expect(await prompts()).toEqual(["the words", "the words", "the words"]);
    expect((await cli("archive", "create", "--older-than", "90d")).code).toBe(0);
    expect(await prompts()).toEqual([null, null, "the words"]);
    expect(
      readdirSync(join(folder, "archive"))
        .map((name) => name.slice(0, 10))
        .toSorted(),
    ).toEqual(["content-p1", "content-p2"]);
    const [sums] = await sql`SELECT sum(tokens_total)::int AS tokens FROM generation_logs`;
    expect(sums).toEqual({ tokens: 21 });
    expect(JSON.parse((await cli("archive", "restore", "-o", "json")).stdout)).toEqual([{ files: 2, restored: 2, missing: 0 }]);
    expect(await prompts()).toEqual(["the words", "the words", "the words"]);
  });

  it("remove what is old when they are told twice, and say beforehand what that is", async () => {
    expect(await cli("prune", "--older-than", "90d")).toMatchObject({ code: 2, stderr: expect.stringContaining("--dry-run") });
    const asked = await cli("prune", "--older-than", "90d", "--dry-run", "-o", "json");
    expect(JSON.parse(asked.stdout)).toMatchObject([{ table: "generation_logs", rows: 2 }]);
    expect(await prompts()).toHaveLength(3);
    expect((await cli("prune", "--older-than", "90d", "--yes")).code).toBe(0);
    expect(await prompts()).toHaveLength(1);
    expect((await cli("prune", "--older-than", "eternity", "--yes")).code).toBe(2);
  });
});

import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runCli } from "../support/program.ts";

const CANARY = "canary-of-the-archive";

describe("commands that take content away for good", { timeout: 120_000 }, () => {
  const server = { kind: "embedded", adminUrl: inject("postgresUrls").embedded } as const;
  let database: TestDatabase;
  let root: string;
  let cold: string;
  let moved: string;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    root = mkdtempSync(join(tmpdir(), "genspan-archived-"));
    cold = join(root, "cold");
    moved = join(root, "elsewhere");
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    await sql`INSERT INTO projects (id, name, created_at) VALUES (2, 'shop', now())`;
    for (const project of [1, 2])
      await sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, user_id, prompt_full_text, prompt_format, logged_at, updated_at, received_at)
        VALUES (${project}, md5(random()::text), left(md5(random()::text), 16), now() - interval '100 days', 'x', 'success', 'u-1', ${CANARY}, 'text', now(), now(), now())`;
    await sql.end();
    const archived = await cli("archive", "create", "--older-than", "90d", "--folder", cold);
    expect(archived).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    rmSync(root, { recursive: true, force: true });
    await database[Symbol.asyncDispose]();
  });
  const cli = (...args: string[]) => runCli([...args, "--database-url", database.url, "--data-dir", root]);
  /** Projects whose files hold the canary. */
  const projectsIn = (folder: string): string[] =>
    readdirSync(folder)
      .filter((name) => gunzipSync(readFileSync(join(folder, name))).includes(CANARY))
      .map((name) => name.slice(0, 10))
      .toSorted();

  it("find every folder that content went to, told or not", async () => {
    const restored = await cli("archive", "restore", "-o", "json");
    expect(JSON.parse(restored.stdout)).toEqual([{ files: 2, restored: 2, missing: 0 }]);
    expect(await cli("archive", "create", "--older-than", "90d", "--folder", cold)).toMatchObject({ code: 0 });
  });

  it("PRV-03 are noted with what they took and from when, and so is what came back", async () => {
    const told = await cli("prune", "--older-than", "36500d", "--content", "--yes");
    expect(told).toMatchObject({ code: 0 });
    const { stdout } = await cli("sql", "SELECT action, details FROM audit_log WHERE action <> 'import' ORDER BY time", "-o", "json");
    const before = expect.stringMatching(/^\d{4}-/);
    expect(JSON.parse(stdout)).toEqual([
      { action: "archive.create", details: { before, rows: { generation_logs: 2 } } },
      { action: "archive.restore", details: { files: 2, restored: 2, missing: 0 } },
      { action: "archive.create", details: { before, rows: { generation_logs: 2 } } },
      { action: "prune.content", details: { before, rows: {} } },
    ]);
  });

  it("PRV-02 tell of a user what lies in the archive, and where they cannot look", async () => {
    const told = await cli("erase", "user", "u-1", "--explain");
    const lines = told.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { table: "generation_logs", row: { user_id: "u-1", prompt_full_text: null } },
      { table: "generation_logs", archived: { prompt_full_text: CANARY } },
    ]);
    renameSync(cold, moved);
    expect((await cli("erase", "user", "u-1", "--explain")).stdout).toContain('{"table":"archive_folders","row":{"unreached":1}}');
    expect((await cli("erase", "user", "u-1", "--explain", "--archive", moved)).stdout).toContain(CANARY);
    renameSync(moved, cold);
  });

  it("PRV-01 say so where such a folder is not on this machine, and end the work once it is", async () => {
    renameSync(cold, moved);
    const away = await cli("erase", "user", "u-1", "--yes", "-o", "json");
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining("It is not all gone: 1 folder") });
    expect(away.stderr).toContain(cold);
    expect(JSON.parse(away.stdout)).toMatchObject({ deleted: { generation_logs: 1 }, unreached_archives: 1 });
    expect(projectsIn(moved)).toEqual(["content-p1", "content-p2"]);
    const here = await cli("erase", "user", "u-1", "--yes", "--archive", moved, "-o", "json");
    expect(here).toMatchObject({ code: 0 });
    expect(JSON.parse(here.stdout)).toMatchObject({ deleted: { archive: 2 }, unreached_archives: 0 });
    expect(projectsIn(moved)).toEqual(["content-p2"]);
  });

  it("take the files of a deleted project along, and refuse folders that are not there", async () => {
    expect(await cli("project", "delete", "2", "--yes", "--archive", join(root, "nowhere"))).toMatchObject({ code: 3 });
    const asked = await cli("project", "delete", "2", "--dry-run", "-o", "json");
    expect(JSON.parse(asked.stdout)).toContainEqual({ table: "generation_logs", rows: 1 });
    expect((await cli("project", "delete", "9", "--dry-run")).code).toBe(3);
    const gone = await cli("project", "delete", "2", "--yes", "--archive", moved, "-o", "json");
    expect(gone).toMatchObject({ code: 0 });
    expect(JSON.parse(gone.stdout)).toContainEqual({ table: "files", rows: 1 });
    expect(projectsIn(moved)).toEqual([]);
  });

  it("have no use for a folder where a collector is asked: it knows its own", async () => {
    const asked = await runCli(["erase", "user", "u-1", "--yes", "--url", "http://127.0.0.1:1", "--archive", moved]);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--archive") });
  });
});

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { tracesOf } from "../../support/otlp-json.ts";

const RUNS = 1_200;
const ORIGIN = "http://localhost";

interface Report {
  readonly read: number;
  readonly stored: Record<string, number>;
  readonly refused: number;
  readonly faults: readonly { line: number; reason: string }[];
}

describeEachServer("files of the API", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    await rig.owner`UPDATE projects SET name = ${'a"b\r\n../c; x=1 é'} WHERE id = 1`;
    await rig.owner`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, created_at, updated_at)
      SELECT 1, gen_random_uuid(), 'r' || g, timestamptz '2026-11-01 00:00:00+00' + g * interval '1 minute', CASE WHEN g % 4 = 0 THEN 'failed' ELSE 'success' END, now(), now()
      FROM generate_series(1, ${RUNS}::int) g`;
  });
  beforeEach(() => rig.owner`TRUNCATE audit_log`);
  afterAll(() => rig[Symbol.asyncDispose]());

  const download = (path: string, init?: RequestInit) => rig.app.request(`${ORIGIN}${path}`, init);
  const upload = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Report> => {
    const response = await download("/api/import", { method: "POST", body, headers });
    expect(response.status).toBe(200);
    return (await response.json()) as Report;
  };
  const auditRows = () => rig.owner`SELECT actor, action, subject, details FROM audit_log`;

  describe("downloads", () => {
    it("hold what the filter selects: as many rows as the count says", async () => {
      const { body } = await rig.get<{ rows: number }>("/api/export/runs/count?status=failed");
      expect(body.rows).toBe(RUNS / 4);
      const response = await download("/api/export/runs?status=failed&format=csv&columns=run_id,status");
      const lines = (await response.text()).trimEnd().split("\r\n");
      expect(lines[0]).toBe("run_id,status");
      expect(lines).toHaveLength(RUNS / 4 + 1);
      expect(response.headers.get("content-type")).toContain("text/csv");
    });

    it("EXP-03 have a file name that is harmless whatever the project is called", async () => {
      const response = await download("/api/export/runs?format=csv");
      expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="genspan-a-b-c-x-1-runs-\d{8}\.csv"$/);
      await response.body?.cancel();
    });

    it("PRV-03 are noted with who took what, how many rows and their checksum, without the values of the filter", async () => {
      await (await download("/api/export/runs?status=failed")).text();
      const [row] = await auditRows();
      expect(row).toMatchObject({
        actor: "local",
        action: "export",
        subject: "runs",
        details: { rows: RUNS / 4, complete: true, keys: ["status"], format: "jsonl" },
      });
      expect(row?.["details"].sha256).toMatch(/^[0-9a-f]{64}$/);
    });

    it("that are broken off leave nothing running, and are noted as incomplete", async () => {
      const response = await download("/api/export/runs");
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      await expect.poll(auditRows).toMatchObject([{ details: { complete: false, rows: 500 } }]);
      const active =
        await rig.owner`SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'genspan reader' AND state <> 'idle'`;
      expect(active).toHaveLength(0);
    });

    it("EXP-02 that are broken off while the database is at a page stop it there", async () => {
      const working = () => rig.owner`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'genspan reader' AND state = 'active'`;
      const body = (await download("/api/export/runs")).body?.getReader();
      await body?.read();
      const lock = await rig.owner.reserve();
      try {
        await lock`BEGIN`;
        await lock`LOCK TABLE generation_runs`;
        const next = body?.read();
        await expect.poll(working).toHaveLength(1);
        await body?.cancel();
        await expect.poll(working).toHaveLength(0);
        expect(await next).toMatchObject({ done: true });
      } finally {
        await lock`ROLLBACK`;
        lock.release();
      }
    });

    it("are a few at a time; the next one is told to come back, and has its turn when one ends", async () => {
      const held = await Promise.all([download("/api/export/runs"), download("/api/export/runs")]);
      expect((await download("/api/export/runs")).status).toBe(503);
      for (const response of held) await response.body?.cancel();
      await expect.poll(async () => (await download("/api/export/runs/count")).status).toBe(200);
      expect(await (await download("/api/export/runs")).text()).toContain("r1");
    });

    it.each([
      ["/api/export/nothing", 400],
      ["/api/export/runs?format=xml", 400],
      ["/api/export/runs?format=otlp", 400],
      ["/api/export/runs?columns=secret", 400],
      ["/api/export/runs?model=x", 400],
      ["/api/export/runs?from=yesterday", 400],
    ])("refuse what makes no sense: %s", async (path, status) => {
      const { status: answered, body } = await rig.get<{ error: { message: string } }>(path);
      expect(answered).toBe(status);
      expect(body.error.message).not.toBe("");
    });

    it("know nothing of another project", async () => {
      await rig.owner`INSERT INTO projects (id, name, created_at) VALUES (2, 'other', now()) ON CONFLICT DO NOTHING`;
      await rig.owner`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, created_at, updated_at)
        VALUES (2, gen_random_uuid(), 'canary', now(), 'success', now(), now())`;
      expect(await (await download("/api/export/runs?project=other")).text()).toBe("");
      expect(await (await download("/api/export/runs")).text()).not.toContain("canary");
    });
  });

  describe("uploads", () => {
    const run = { started_at: "2026-01-01T00:00:00Z", questions_requested: 50, questions_inserted: 40, exit_code: 0 };

    it("take telemetry and records of applications in one file, and twice is once", async () => {
      const file = `${JSON.stringify(tracesOf({ id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" } }))}\n${JSON.stringify(run)}\n`;
      expect(await upload(file)).toMatchObject({ read: 2, stored: { runs: 1 }, otlpRequests: 1, refused: 0 });
      expect(await upload(gzipSync(file), { "content-encoding": "gzip" })).toMatchObject({
        read: 2,
        stored: { runs: 0 },
        known: 1,
        refused: 0,
      });
      const rows = await rig.owner`SELECT project_id, model_name FROM generation_logs`;
      expect([...rows]).toEqual([{ project_id: 1, model_name: "m" }]);
    });

    it("of another project's rows land in the project of the key", async () => {
      await upload(
        JSON.stringify({
          id: "123e4567-e89b-12d3-a456-426614174009",
          run_id: "moved",
          items_requested: 1,
          project_id: 2,
          started_at: "2026-01-02T00:00:00Z",
          status: "success",
        }),
      );
      const rows = await rig.owner`SELECT project_id FROM generation_runs WHERE run_id = 'moved'`;
      expect([...rows]).toEqual([{ project_id: 1 }]);
    });

    it("name what they cannot take by its line, and say nothing of what it holds", async () => {
      const report = await upload(`{"canary": 1}\n{"cut": `);
      expect(report).toMatchObject({ read: 2, refused: 2, faults: [{ line: 1 }, { line: 2 }] });
      expect(JSON.stringify(report)).not.toContain("canary");
      expect(await auditRows()).toMatchObject([{ action: "import", details: { refused: 2 } }]);
    });

    it.each([
      ["an encoding that nobody knows", "{}", "br2", 415],
      ["gzip that is none", "no gzip at all", "gzip", 400],
    ])("refuse %s", async (_, body, encoding, status) => {
      const response = await download("/api/import", { method: "POST", body, headers: { "content-encoding": encoding } });
      expect(response.status).toBe(status);
    });

    it("PRV-03 that break off are noted with what was stored before, as incomplete", async () => {
      const lines = Array.from({ length: 2_000 }, (_, i) =>
        JSON.stringify({ ...run, run_id: `cut ${i}`, provider_metrics: { [Math.random()]: { generated: i } } }),
      );
      const file = gzipSync(lines.join("\n"));
      const headers = { "content-encoding": "gzip" };
      const response = await download("/api/import", { method: "POST", body: file.subarray(0, file.length - 1_000), headers });
      expect(response.status).toBe(400);
      const [entry] = await auditRows();
      const [count] = await rig.owner`SELECT count(*)::int AS runs FROM generation_runs WHERE run_id LIKE 'cut %'`;
      expect(count?.["runs"]).toBeGreaterThan(100);
      expect(entry).toMatchObject({ action: "import", details: { complete: false, stored: { runs: count?.["runs"] } } });
    });

    it("say which names of a summary went unused, and refuse its impossible figures and what is no object", async () => {
      const runs = [
        { ...run, run_id: "noisy", by_provider: { openai: 3 }, foo: 1, errors: 5 },
        { ...run, questions_inserted: -1 },
      ];
      expect(await upload(`[${runs.map((each) => JSON.stringify(each)).join(",\n")},\n1,"x",null]`)).toMatchObject({
        read: 5,
        stored: { runs: 1 },
        refused: 4,
        faults: [{ line: 2, reason: "items_inserted is below 0" }, { line: 3, reason: "this is no object" }, { line: 3 }, { line: 3 }],
        ignored: [{ line: 1, names: ["foo", "errors"] }],
      });
      const [row] = await rig.owner`SELECT provider_metrics, total_errors FROM generation_runs WHERE run_id = 'noisy'`;
      expect(row).toEqual({ provider_metrics: { openai: { generated: 3 } }, total_errors: null });
    });

    it("are empty at will", async () => {
      expect(await upload("")).toMatchObject({ read: 0, refused: 0 });
    });
  });
});

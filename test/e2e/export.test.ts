import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { tracesOf } from "../support/otlp-json.ts";
import { runCli } from "../support/program.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const ROWS = LONG ? 1_000_000 : 60_000;
/** By then the heap has the size that its program wants. */
const WARM_ROWS = 20_000;
const MIB = 1024 * 1024;
const MAIN = join(import.meta.dirname, "../../collector/main.ts");

describe("genspan export and import", () => {
  const server = { kind: "embedded", adminUrl: inject("postgresUrls").embedded } as const;
  let source: TestDatabase;
  let target: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    source = await createTestDatabase(server);
    target = await createTestDatabase(server);
    folder = mkdtempSync(join(tmpdir(), "genspan-export-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await source[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
  });
  const cli = (database: TestDatabase, ...args: string[]) => runCli([...args, "--database-url", database.url]);
  const file = (name: string): string => join(folder, name);

  it("carry a trace and what became of it from one database to another", async () => {
    writeFileSync(
      file("telemetry.json"),
      JSON.stringify(
        tracesOf(
          { id: "root" },
          {
            id: "call",
            parent: "root",
            attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3 },
          },
        ),
        null,
        2,
      ),
    );
    const first = await cli(source, "import", file("telemetry.json"), "-o", "json");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(first.stdout)).toMatchObject([{ objects: 1, otlp_requests: 1, refused: 0 }]);
    const traces = await cli(source, "export", "traces");
    writeFileSync(file("traces.jsonl"), traces.stdout);
    expect(await cli(target, "import", file("traces.jsonl"))).toMatchObject({ code: 0 });
    const columns = ["--columns", "trace_id,span_id,start_time,model_name,tokens_prompt"];
    const [before, after] = [
      await cli(source, "export", "generations", ...columns),
      await cli(target, "export", "generations", ...columns),
    ];
    expect(before.stdout).toContain('"model_name":"m","tokens_prompt":3');
    expect(after.stdout).toBe(before.stdout);
  });

  it("say which lines they could not take, and end with a failure", async () => {
    writeFileSync(file("mixed.jsonl"), '{"what": "ever"}\n');
    const { code, stderr } = await cli(target, "import", file("mixed.jsonl"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/mixed\.jsonl:1: this is nothing that can be imported/);
  });

  it("say in a sentence that a file is not there", async () => {
    expect(await cli(target, "import", file("missing.jsonl"))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^The file .* cannot be read/),
    });
  });

  it(`EXP-02 EX-1 write ${ROWS} rows in flat memory`, { timeout: LONG ? 1_800_000 : 120_000 }, async () => {
    const sql = postgres(source.url, { max: 1 });
    await sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at, prompt_full_text)
      SELECT 1, md5(g::text), left(md5(g::text), 16), timestamptz '2026-01-01 00:00:00+00' + g * interval '1 second', 'x', 'success', now(), now(), now(), repeat(md5(g::text), 64)
      FROM generate_series(1, ${ROWS}::int) g`;
    await sql.end();
    const child = spawn(process.execPath, [MAIN, "export", "generations", "--to", "2026-10-01", "--database-url", source.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const rssBytes = (): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
    let lines = 0;
    let chunks = 0;
    let early = 0;
    let largest = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x0a) lines++;
      chunks++;
      if (lines > WARM_ROWS && early === 0) early = rssBytes();
      if (early > 0 && chunks % 50 === 0) largest = Math.max(largest, rssBytes());
    });
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    expect(lines).toBe(ROWS);
    expect(largest - early).toBeLessThan(100 * MIB);
  });
});

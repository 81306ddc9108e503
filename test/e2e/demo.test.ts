import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { runCli } from "../support/program.ts";

const ROOT = join(import.meta.dirname, "../..");
const FREE_PORTS = ["--config", "otel-config.yaml", "--config", "test/support/free-ports.yaml"];
const ENV = { PATH: process.env["PATH"] ?? "", GENSPAN_EMBEDDED_PORT: "0" };

const demoFolders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("genspan-demo-"));

let child: ChildProcess;
let output = "";
let folder = "";
let sql: Sql;

const until = async (what: RegExp): Promise<RegExpExecArray> => {
  for (;;) {
    const match = what.exec(output);
    if (match !== null) return match;
    if (child.exitCode !== null) throw new Error(`the demo ended:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

beforeAll(async () => {
  const before = demoFolders();
  child = spawn(process.execPath, ["collector/main.ts", "demo", "--rows", "600", ...FREE_PORTS], { cwd: ROOT, env: ENV });
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await until(/PostgreSQL +postgres:/);
  folder = join(tmpdir(), demoFolders().find((name) => !before.includes(name))!);
  sql = postgres(readEmbeddedState(folder)!.url, { max: 1, onnotice: () => {} });
}, 90_000);

afterAll(async () => {
  await sql?.end();
  child?.kill("SIGKILL");
});

describe("genspan demo", () => {
  it("puts every span and model call that it tells of into the tables", async () => {
    const [, calls, spans, traces] = await until(/data are in: (\d+) model calls, (\d+) spans, (\d+) traces/);
    const past = sql`start_time < now() - interval '60 seconds'`;
    const [stored] = await sql`
      SELECT count(*)::text AS spans, count(DISTINCT trace_id)::text AS traces,
             (SELECT count(*)::text FROM generation_logs WHERE ${past}) AS calls
      FROM spans WHERE ${past}`;
    expect(stored).toEqual({ spans, traces, calls });
  });

  it("shows each picture with the models that were tried for it", async () => {
    await until(/data are in/);
    const [{ announced }] = await sql<[{ announced: number }]>`
      SELECT count(*)::int AS announced FROM spans WHERE attributes->>'genspan.record' = 'image' AND start_time < now() - interval '60 seconds'`;
    const told = () => sql`
      SELECT count(*)::int AS images, bool_and(jsonb_array_length(image_generation_attempts) BETWEEN 1 AND 3) AS tried
      FROM image_traces WHERE created_at < now() - interval '60 seconds'`;
    expect(announced).toBeGreaterThan(3);
    await expect.poll(async () => (await told())[0], { timeout: 20_000 }).toEqual({ images: announced, tried: true });
  });

  it("keeps the pictures that were drawn, and gives their bytes", async () => {
    const [, web] = await until(/Web +(http:\S+)/);
    const get = (path: string) => fetch(`${web}${path}`);
    const { data } = (await (await get("/api/images?status=completed&limit=1")).json()) as { data: { id: string }[] };
    const { outputs } = (await (await get(`/api/images/${data[0]?.id}`)).json()) as { outputs: { sha256: string; media_type: string }[] };
    expect(outputs).toMatchObject([{ media_type: "image/png" }]);
    const picture = await get(`/api/media/${outputs[0]?.sha256}`);
    expect(picture.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await picture.arrayBuffer()).toString("latin1", 1, 4)).toBe("PNG");
  });

  it("shows the prompt that was changed and kept its version", async () => {
    const [, web] = await until(/Web +(http:\S+)/);
    const versions = await (await fetch(`${web}/api/prompts/legal-definition`)).json();
    expect(versions).toMatchObject({ versions: [{ version: "1.3", texts: 2, drift: true }] });
  });

  it("goes on with new spans until it is stopped", async () => {
    await until(/until Ctrl\+C/);
    await expect
      .poll(
        async () =>
          (
            await sql`SELECT count(*)::int AS n FROM spans WHERE received_at > now() - interval '5 seconds' AND start_time > now() - interval '60 seconds'`
          )[0]!["n"],
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
  });

  it("goes on when a visitor makes the first key, and stays for a look when its own one is revoked", { timeout: 60_000 }, async () => {
    const cli = (...words: string[]) => runCli([...words, "--data-dir", folder], {});
    expect((await cli("key", "create", "--name", "mine")).code).toBe(0);
    const own = async () => (await sql<{ id: string; since: Date }[]>`SELECT id, created_at AS since FROM api_keys WHERE name = 'demo'`)[0];
    await expect.poll(own, { timeout: 20_000 }).toBeDefined();
    const { id, since } = (await own())!;
    await expect.poll(async () => (await sql`SELECT FROM spans WHERE received_at > ${since} LIMIT 1`).length, { timeout: 20_000 }).toBe(1);
    expect((await cli("key", "revoke", id)).code).toBe(0);
    await until(/No new calls come in any more/);
    expect((await fetch(`${(await until(/Web +(http:\S+)/))[1]}/readyz`)).status).toBe(200);
  });

  it("ends cleanly on the first signal and leaves nothing behind", async () => {
    await sql.end();
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  it("ends by itself after the history when nothing new shall come", { timeout: 90_000 }, async () => {
    const before = demoFolders();
    const { code, stdout } = await runCli(["demo", "--rows", "100", "--no-live", ...FREE_PORTS], { GENSPAN_EMBEDDED_PORT: "0" });
    expect(stdout).toMatch(/Web +http:\/\/127\.0\.0\.1:\d+/);
    expect(code).toBe(0);
    expect(demoFolders()).toEqual(before);
  });
});

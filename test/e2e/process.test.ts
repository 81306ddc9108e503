import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { createEmptyDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";
import { span, spanId, tracesRequest } from "../support/wire-builder.ts";

const asRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534 };

const post = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", ...headers },
    body: new Uint8Array(tracesRequest([span({ spanId: spanId(Date.now() % 1e6) })])),
  });

/** Beside a collector that may run on the usual ports. */
const FREE_PORTS = ["--config", "otel-config.yaml", "--config", "test/support/free-ports.yaml"];

/** Runs serve where it must fail, and returns what the person sees. */
async function refusal(args: readonly string[], env: Record<string, string>): Promise<string> {
  const { code, stderr } = await runCli(["serve", ...FREE_PORTS, ...args], { GENSPAN_LOG_LEVEL: "silent", ...env });
  expect(code).toBe(1);
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "genspan-process-"));
  chmodSync(folder, 0o755);
  return folder;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const listenSomewhere = (): Promise<{ server: Server; port: number }> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => resolve({ server, port: (server.address() as { port: number }).port }));
  });

describe("what keeps the collector from starting is one sentence that says what to do", () => {
  let folder: string;
  beforeAll(async () => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const config = (text: string): string[] => {
    const file = join(folder, `config-${Math.random().toString(36).slice(2)}.yaml`);
    writeFileSync(file, text);
    return ["--config", file];
  };

  it("PRC-11 a wrong configuration: every fault, before anything is started", async () => {
    const text = await refusal(config("receivers: {otlp: {protocols: {http: {endpoint: nowhere, colour: red}}}}"), {
      DATABASE_URL: "postgres://127.0.0.1:1/x",
    });
    expect(text).toContain("colour");
    expect(text).toContain("invalid endpoint");
  });

  it.each([
    ["nobody answers", "postgres://me:canary@127.0.0.1:1/telemetry"],
    ["the URL is no URL", "canary"],
    ["its sslmode is none that there is", "postgres://me:canary@127.0.0.1:1/telemetry?sslmode=banana"],
  ])("a wrong DATABASE_URL: %s", async (_, url) => {
    const text = await refusal([], { DATABASE_URL: url });
    expect(text.trim().split("\n")).toHaveLength(1);
    expect(text).not.toContain("canary@");
  });

  it("AUT-01 an address that others can reach, without a key", async () => {
    const data = join(folder, "open");
    const text = await refusal(
      config('receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:0"}}}}\nextensions: {web: {endpoint: "127.0.0.1:0"}}'),
      {
        GENSPAN_DATA_DIR: data,
        GENSPAN_EMBEDDED_PORT: "0",
      },
    );
    expect(text).toContain("genspan key create");
  });

  it("PRC-10 a port that another program has, for OTLP and for the embedded database", async () => {
    const { server, port } = await listenSomewhere();
    const data = join(folder, "ports");
    const taken = config(
      `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}\nextensions: {web: {endpoint: "127.0.0.1:0"}}`,
    );
    expect(await refusal(taken, { GENSPAN_DATA_DIR: data, GENSPAN_EMBEDDED_PORT: "0" })).toContain(String(port));
    expect(await refusal([], { GENSPAN_DATA_DIR: join(folder, "ports2"), GENSPAN_EMBEDDED_PORT: String(port) })).toContain(String(port));
    server.close();
  });

  it("a data folder that is a file", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(await refusal([], { GENSPAN_DATA_DIR: file })).toContain("GENSPAN_DATA_DIR");
  });

  it("a data folder that holds a cluster of another version, or other files", async () => {
    for (const [name, file] of [
      ["old", "PG_VERSION"],
      ["foreign", "holiday.jpg"],
    ] as const) {
      mkdirSync(join(folder, name, "postgres"), { recursive: true });
      writeFileSync(join(folder, name, "postgres", file), "9.6\n");
      expect(await refusal([], { GENSPAN_DATA_DIR: join(folder, name) })).toContain("GENSPAN_DATA_DIR");
    }
  });
});

describeEachServer("a database of one's own", (server) => {
  it("with a table of our name that is not ours is refused, naming the table", async () => {
    await using database: TestDatabase = await createEmptyDatabase(server);
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    await sql`CREATE TABLE spans (mine int)`;
    await sql.end();
    expect(await refusal([], { DATABASE_URL: database.url })).toContain("spans");
  });

  it("that is set to read only is refused in one sentence that says what to set", async () => {
    await using database: TestDatabase = await createEmptyDatabase(server);
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    await sql.unsafe(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET default_transaction_read_only = on`);
    await sql.end();
    const text = await refusal([], { DATABASE_URL: database.url });
    expect(text.trim().split("\n")).toHaveLength(1);
    expect(text).toContain("default_transaction_read_only");
  });
});

describe("one data folder", () => {
  it("is filled in one line of the log, and the database's sessions are one line", async () => {
    const first = await startProgram({ env: { GENSPAN_LOG_LEVEL: "info" } });
    expect(await first.end()).toBe(0);
    const again = await startProgram({ env: { GENSPAN_LOG_LEVEL: "info", GENSPAN_DATA_DIR: `${first.folder}/data` } });
    expect(await again.end()).toBe(0);
    const saying = (program: Program, text: string) =>
      program
        .output()
        .split("\n")
        .filter((line) => line.includes(text));
    const applied = readdirSync("schema/migrations").length;
    expect(saying(first, "migration")).toEqual([
      expect.stringContaining(`"applied":${applied},"version":${applied},"msg":"migrations applied"`),
    ]);
    expect(saying(again, "migration")).toEqual([]);
    for (const program of [first, again]) expect(saying(program, "connected to the database")).toHaveLength(1);
    for (const program of [first, again]) removeFolder(program);
  });

  it("serves one collector at a time, keeps its data, and is found by commands", async () => {
    const first = await startProgram();
    const env = { GENSPAN_DATA_DIR: `${first.folder}/data` };
    expect((await post(first.otlpUrl)).status).toBe(200);
    const text = await refusal([], { ...env, GENSPAN_EMBEDDED_PORT: "0" });
    expect(text).toContain("Another genspan collector");
    expect((await post(first.otlpUrl)).status).toBe(200);
    const { port } = readEmbeddedState(env.GENSPAN_DATA_DIR)!;
    expect(await first.end("SIGINT")).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
    expect((await runCli(["sql", "SELECT 1"], env)).code).toBe(5);

    const again = await startProgram({ env });
    const { stdout } = await runCli(["sql", "-o", "csv", "SELECT count(*) > 0 AS kept FROM spans"], env);
    expect(stdout).toBe("kept\r\ntrue\r\n");
    expect(statSync(join(env.GENSPAN_DATA_DIR, "password")).mode & 0o077).toBe(0);
    await again.end();
    removeFolder(again);
    removeFolder(first);
  });

  it.skipIf(!asRoot)(
    "below a folder that the database's user cannot enter: data goes to a substitute that a second start finds (needs root)",
    async () => {
      const closed = mkdtempSync(join(tmpdir(), "genspan-closed-"));
      chmodSync(closed, 0o700);
      const env = { GENSPAN_DATA_DIR: join(closed, "data") };
      const first = await startProgram({ env });
      expect(first.output().match(/\/var\/lib\/genspan/g)?.length).toBeGreaterThan(0);
      expect((await post(first.otlpUrl)).status).toBe(200);
      expect(await first.end()).toBe(0);
      const again = await startProgram({ env });
      const { stdout } = await runCli(["sql", "-o", "csv", "SELECT count(*)::int AS n FROM spans"], env);
      expect(stdout).toBe("n\r\n1\r\n");
      const state = readEmbeddedState(env.GENSPAN_DATA_DIR)!;
      expect(state.pid).toBe(again.process.pid);
      await again.end();
      const folder = /"folder":"([^"]+)"/.exec(first.output())![1]!;
      for (const each of [closed, folder]) rmSync(each, { recursive: true, force: true });
      for (const each of [first, again]) removeFolder(each);
    },
  );

  it.skipIf(!asRoot)("as an ordinary user (needs root to become one)", async () => {
    const program = await startProgram({ user: NOBODY });
    expect((await post(program.otlpUrl)).status).toBe(200);
    expect(statSync(join(program.folder, "data", "postgres")).uid).toBe(NOBODY.uid);
    expect(await program.end()).toBe(0);
    removeFolder(program);
  });
});

describe("keys", () => {
  let program: Program;
  let env: Record<string, string>;
  const create = async (scope: string): Promise<string> =>
    (await runCli(["key", "create", "--name", scope, "--scope", scope], env)).stdout.trim();
  beforeAll(async () => {
    program = await startProgram();
    env = { GENSPAN_DATA_DIR: `${program.folder}/data` };
  });
  afterAll(async () => {
    await program.end();
    removeFolder(program);
  });

  it("AUT-02 AUT-03 AUT-05 once a key exists, only keys of the right scope get in, and only hashes are kept", async () => {
    expect((await post(program.otlpUrl)).status).toBe(200);
    const [ingest, read] = [await create("ingest"), await create("read")];
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect((await post(program.otlpUrl)).status).toBe(401);
    expect((await post(program.otlpUrl, { authorization: "Bearer gs_wrong" })).status).toBe(401);
    expect((await post(program.otlpUrl, { authorization: `Bearer ${read}` })).status).toBe(403);
    expect((await post(program.otlpUrl, { authorization: `Bearer ${ingest}` })).status).toBe(200);
    expect((await post(program.otlpUrl, { "x-service-key": ingest })).status).toBe(200);
    expect((await post(program.otlpUrl, { authorization: `Basic ${Buffer.from(`any:${ingest}`).toString("base64")}` })).status).toBe(200);
    expect(
      (
        await fetch(`${program.otlpUrl}/v1/traces?api_key=${ingest}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: "{}",
        })
      ).status,
    ).toBe(401);
    expect((await fetch(`${program.webUrl}/metrics`, { headers: { authorization: `Bearer ${ingest}` } })).status).toBe(403);
    expect((await fetch(`${program.webUrl}/metrics`, { headers: { authorization: `Bearer ${read}` } })).status).toBe(200);
    expect((await fetch(`${program.webUrl}/healthz`)).status).toBe(200);
    const sql = postgres(readEmbeddedState(env["GENSPAN_DATA_DIR"]!)!.url, { max: 1, onnotice: () => {} });
    const dump = JSON.stringify(await sql`SELECT k::text FROM api_keys k`);
    await sql.end();
    for (const key of [ingest, read]) expect(dump).not.toContain(key);
    expect(program.output()).not.toContain(ingest);

    const { stdout } = await runCli(["key", "list", "-o", "json"], env);
    const listed = JSON.parse(stdout) as { id: string; name: string }[];
    const id = listed.find(({ name }) => name === "ingest")!.id;
    expect((await runCli(["key", "revoke", id], env)).code).toBe(0);
    expect((await runCli(["key", "revoke", id], env)).code).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect((await post(program.otlpUrl, { authorization: `Bearer ${ingest}` })).status).toBe(401);
  });
});

it("MEM-04 a key with a budget of requests gets 429 with Retry-After beyond it, and other keys are served", {
  timeout: 60_000,
}, async () => {
  const program = await startProgram();
  const env = { GENSPAN_DATA_DIR: `${program.folder}/data` };
  const perSecond = 5;
  const create = async (...flags: string[]): Promise<string> =>
    (await runCli(["key", "create", "--name", "k", "--scope", "ingest", ...flags], env)).stdout.trim();
  const [loud, quiet] = [await create("--max-requests-per-second", String(perSecond)), await create()];
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  const began = performance.now();
  const send = async (key: string, requests: number) => {
    const answers = await Promise.all(Array.from({ length: requests }, () => post(program.otlpUrl, { authorization: `Bearer ${key}` })));
    return Map.groupBy(answers, ({ status }) => status);
  };
  const [ofLoud, ofQuiet] = await Promise.all([send(loud, 200), send(quiet, 50)]);
  const seconds = (performance.now() - began) / 1_000;
  expect([...ofLoud.keys()].toSorted()).toEqual([200, 429]);
  expect(ofLoud.get(200)!.length).toBeGreaterThanOrEqual(perSecond);
  expect(ofLoud.get(200)!.length).toBeLessThanOrEqual(perSecond * (seconds + 1));
  expect(new Set(ofLoud.get(429)!.map((answer) => answer.headers.get("retry-after")))).toEqual(new Set(["1"]));
  expect([...ofQuiet.keys()]).toEqual([200]);
  expect(await program.end()).toBe(0);
  removeFolder(program);
});

it("PRC-04 a second signal ends the process at once with a code other than 0", async () => {
  const program = await startProgram();
  // A request that never ends keeps the first, graceful stop waiting.
  const { request } = await import("node:http");
  const open = request(`${program.otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": "10" },
  });
  open.on("error", () => {});
  open.write("{");
  await new Promise((resolve) => setTimeout(resolve, 300));
  program.process.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(program.process.exitCode).toBeNull();
  expect(await program.end("SIGTERM")).toBe(1);
  expect(program.output()).toContain("stopped by force");
  const again = await startProgram({ env: { GENSPAN_DATA_DIR: `${program.folder}/data` } });
  expect(await again.end()).toBe(0);
  for (const each of [program, again]) removeFolder(each);
});

it("a collector that npm runs stops cleanly when npm was ended and handed no signal on", { timeout: 90_000 }, async () => {
  const folder = temporaryFolder();
  const script = '"$0" collector/main.ts serve --config otel-config.yaml --config test/support/free-ports.yaml & echo "pid $!"; wait';
  const npm = spawn("sh", ["-c", script, process.execPath], {
    env: { PATH: process.env["PATH"], GENSPAN_DATA_DIR: join(folder, "data"), GENSPAN_EMBEDDED_PORT: "0", npm_lifecycle_event: "start" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await expect.poll(() => output, { timeout: 60_000 }).toContain("is ready");
  const [, pid] = /^pid (\d+)/m.exec(output)!;
  npm.kill("SIGKILL");
  await expect.poll(() => output, { timeout: 20_000 }).toContain('"msg":"stopped"');
  await expect.poll(() => isRunning(Number(pid)), { timeout: 5_000 }).toBe(false);
  rmSync(folder, { recursive: true, force: true });
});

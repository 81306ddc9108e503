import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";

let program: Program;
let env: Record<string, string>;
beforeAll(async () => {
  program = await startProgram();
  env = { GENSPAN_DATA_DIR: `${program.folder}/data` };
});
afterAll(async () => {
  await program.end();
  removeFolder(program);
});

const hostOf = (url: string): string => new URL(url).host;

/** Runs doctor as if the collector had been configured with these addresses; returns its failures by name. */
async function doctor(otlp: string, web: string, more: Record<string, string> = {}, grpc = hostOf(program.otlpGrpcUrl)) {
  const file = join(program.folder, "doctor.yaml");
  const protocols = `{http: {endpoint: "${otlp}"}, grpc: {endpoint: "${grpc}"}}`;
  writeFileSync(file, `receivers: {otlp: {protocols: ${protocols}}}\nextensions: {web: {endpoint: "${web}"}}\n`);
  const { code, stdout } = await runCli(["doctor", "--config", "otel-config.yaml", "--config", file], { ...env, ...more });
  return { code, stdout, failed: [...stdout.matchAll(/^FAIL ([^:]+): (.*)$/gm)].map(([, name, detail]) => ({ name, detail })) };
}

describe("genspan doctor", () => {
  it("finds a running collector in order, from its addresses to the row of a span", async () => {
    const { code, stdout, failed } = await doctor(hostOf(program.otlpUrl), hostOf(program.webUrl));
    expect(failed).toEqual([]);
    for (const name of ["OTLP/HTTP", "OTLP/gRPC", "web", "readiness", "read back"]) expect(stdout).toContain(`ok   ${name}: `);
    expect(code).toBe(0);
  });

  it("leaves a span and no model call", async () => {
    expect((await doctor(hostOf(program.otlpUrl), hostOf(program.webUrl))).code).toBe(0);
    const counts =
      "SELECT count(*) > 0 AS spans, (SELECT count(*) FROM generation_logs) AS calls FROM spans WHERE service_name = 'genspan-doctor'";
    expect((await runCli(["sql", "-o", "csv", counts], env)).stdout).toBe("spans,calls\r\ntrue,0\r\n");
  });

  it("ends with 5 when nobody listens, and still looks at everything else", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { code, failed, stdout } = await doctor(`127.0.0.1:${port}`, hostOf(program.webUrl));
    expect(failed.map(({ name }) => name)).toEqual(["OTLP/HTTP", "ingest"]);
    expect(stdout).toContain("ok   clock: ");
    expect(code).toBe(5);
  });

  it("names another program on a port, and ends with 1", async () => {
    const other = createServer((_, response) => void response.end("hello")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { code, failed } = await doctor(hostOf(program.otlpUrl), `127.0.0.1:${(other.address() as AddressInfo).port}`);
    other.close();
    expect(failed).toEqual([{ name: "web", detail: expect.stringContaining("another program") }]);
    expect(code).toBe(1);
  });

  it("says that the database it was told of does not answer, without its password", async () => {
    const { code, failed } = await doctor(hostOf(program.otlpUrl), hostOf(program.webUrl), {
      DATABASE_URL: "postgres://me:canary@127.0.0.1:1/telemetry",
    });
    expect(failed).toEqual([{ name: "database", detail: expect.stringContaining("127.0.0.1:1") }]);
    expect(failed[0]!.detail).not.toContain("canary");
    expect(code).toBe(5);
  });

  it("refuses a configuration that is wrong before it looks at anything: no address, and two servers on one", async () => {
    expect(await doctor("nowhere", hostOf(program.webUrl))).toMatchObject({ code: 1, stdout: "" });
    expect(await doctor(hostOf(program.otlpUrl), hostOf(program.otlpUrl))).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("a key before the first start", () => {
  it("is made in an embedded database that is started for it, and lets the collector listen to other machines", async () => {
    const folder = join(program.folder, "fresh");
    const made = await runCli(["key", "create", "--name", "app"], { GENSPAN_DATA_DIR: folder });
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gs_\S+\n$/) });
    const listed = await runCli(["key", "list", "-o", "csv"], { GENSPAN_DATA_DIR: folder });
    expect(listed.stdout).toMatch(/^id,name,project,scopes,.*\r\n[0-9a-f-]{36},app,1,ingest,/);
    const open = await startProgram({
      env: { GENSPAN_DATA_DIR: folder },
      config: 'receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:0"}}}}',
    });
    const send = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${new URL(open.otlpUrl).port}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: '{"resourceSpans":[]}',
      });
    expect((await send({})).status).toBe(401);
    expect((await send({ authorization: `Bearer ${made.stdout.trim()}` })).status).toBe(200);
    await open.end();
    removeFolder(open);
  });

  it("is not looked for where there is no data yet", async () => {
    const { code, stderr } = await runCli(["key", "list"], { GENSPAN_DATA_DIR: join(program.folder, "nothing") });
    expect(code).toBe(5);
    expect(stderr).toContain("genspan serve");
  });
});

describe("a command whose database does not answer", () => {
  it.each([["sql", "SELECT 1"], ["migrate"], ["key", "list"]])(
    "%s ends with 5 and one line that tells where it looked, without the password",
    async (...args) => {
      const { code, stdout, stderr } = await runCli(args, { DATABASE_URL: "postgres://me:canary@127.0.0.1:1/telemetry" });
      expect([code, stdout, stderr.trim().split("\n").length]).toEqual([5, "", 1]);
      expect(stderr).toContain("127.0.0.1:1");
      expect(stderr).not.toContain("canary");
    },
  );
});

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";
import { any, keyValue, span, spanId, tracesRequest } from "../support/wire-builder.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram();
});
afterAll(async () => {
  expect(await program.end()).toBe(0);
  removeFolder(program);
});

const post = (body: Buffer, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${program.otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", ...headers },
    body: new Uint8Array(body),
  });

const residentMib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, "utf8"))![1]) / 1024;
const count = async (): Promise<number> => {
  const sql = postgres(readEmbeddedState(`${program.folder}/data`)!.url, { max: 1, onnotice: () => {} });
  const [{ n }] = (await sql`SELECT count(*)::int AS n FROM spans`) as unknown as [{ n: number }];
  await sql.end();
  return n;
};

it("SIZ-02 100,000 spans in one request are all stored and acknowledged once, while health keeps answering", {
  timeout: 60_000,
}, async () => {
  const before = residentMib();
  const filler = any.string("x".repeat(120));
  const body = tracesRequest(
    Array.from({ length: 100_000 }, (_, i) => span({ spanId: spanId(i), attributes: [keyValue("filler", filler)] })),
  );
  let slowest = 0;
  let done = false;
  const watch = (async () => {
    while (!done) {
      const at = performance.now();
      await (await fetch(`${program.webUrl}/healthz`)).text();
      slowest = Math.max(slowest, performance.now() - at);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  let status = 0;
  for (let tries = 0; tries < 3 && status !== 200; tries++) status = (await post(body)).status;
  done = true;
  await watch;
  expect(status).toBe(200);
  expect(await count()).toBe(100_000);
  expect(slowest).toBeLessThan(2_000);
  expect(residentMib() - before).toBeLessThan(600);
});

it("SIZ-04 a gzip bomb of 300 MB is refused without taking its memory", async () => {
  const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024));
  const before = residentMib();
  expect((await post(bomb, { "content-encoding": "gzip" })).status).toBe(413);
  expect(residentMib() - before).toBeLessThan(200);
});

it("SIZ-03 a body over 64 MiB is refused, with its length told and without", async () => {
  expect((await post(Buffer.alloc(64 * 1024 * 1024 + 1))).status).toBe(413);
});

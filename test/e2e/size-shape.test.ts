import { readFileSync } from "node:fs";
import { request } from "node:http";
import { gzipSync } from "node:zlib";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";
import { any, keyValue, span, spanId, tracesRequest } from "../support/wire-builder.ts";

/** Long runs have the machine to themselves. */
const QUIET = process.env["GENSPAN_TEST_LONG"] === "1";

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

/** Sends the parts as chunks, without telling their length beforehand; gives the status. */
const postUntold = (...parts: readonly Buffer[]): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/x-protobuf" };
    const open = request(`${program.otlpUrl}/v1/traces`, { method: "POST", headers }, (response) => {
      resolve(response.statusCode);
      open.destroy();
    });
    open.on("error", reject);
    for (const part of parts) open.write(part);
    open.end();
  });

const residentMib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, "utf8"))![1]) / 1024;
const peakMib = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, "utf8"))![1]) / 1024;
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
  const lags: number[] = [];
  let done = false;
  const watch = (async () => {
    while (!done) {
      const at = performance.now();
      await (await fetch(`${program.webUrl}/healthz`)).text();
      lags.push(performance.now() - at);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  let status = 0;
  for (let tries = 0; tries < 3 && status !== 200; tries++) status = (await post(body)).status;
  done = true;
  await watch;
  expect(status).toBe(200);
  expect(await count()).toBe(100_000);
  const p99 = lags.toSorted((a, b) => a - b)[Math.floor(lags.length * 0.99)];
  expect(p99).toBeLessThan(QUIET ? 200 : 2_000);
  expect(residentMib() - before).toBeLessThan(400);
});

it("SIZ-12 with the highest limit that can be set, 600 MB of text are refused, told and untold, and the process goes on", {
  timeout: 60_000,
}, async () => {
  const config = "receivers: {otlp: {protocols: {http: {max_request_body_size: 268435456}}}}";
  const generous = await startProgram({ config });
  const send = async (body: Buffer, headers: Record<string, string>): Promise<number> =>
    (await fetch(`${generous.otlpUrl}/v1/traces`, { method: "POST", headers, body: new Uint8Array(body) })).status;
  const json = { "content-type": "application/json" };
  const member = gzipSync(Buffer.alloc(50_000_000, " "));
  expect(await send(Buffer.concat(Array.from({ length: 12 }, () => member)), { ...json, "content-encoding": "gzip" })).toBe(413);
  expect(await declaring(600_000_000, generous.otlpUrl)).toBe(413);
  expect(await send(Buffer.from('{"resourceSpans":[]}'), json)).toBe(200);
  expect(await generous.end()).toBe(0);
  removeFolder(generous);
});

/** The status for a body of a length that is only told. */
const declaring = (bytes: number, url: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": String(bytes) };
    const open = request(`${url}/v1/traces`, { method: "POST", headers }, (response) => {
      resolve(response.statusCode);
      open.destroy();
    });
    open.on("error", reject).flushHeaders();
  });

it("SIZ-04 a gzip bomb of 300 MB is refused without taking its memory", async () => {
  const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024));
  const before = residentMib();
  expect((await post(bomb, { "content-encoding": "gzip" })).status).toBe(413);
  expect(residentMib() - before).toBeLessThan(100);
});

it("MEM-01 forty small bodies at once that grow to 60 MB each are stored or told to come back, within bounded memory", {
  timeout: 90_000,
}, async () => {
  const filler = any.string("x".repeat(12_000));
  const spans = Array.from({ length: 5_000 }, (_, i) => span({ spanId: spanId(1_000_000 + i), attributes: [keyValue("filler", filler)] }));
  const body = gzipSync(tracesRequest(spans));
  expect(body.length).toBeLessThan(300_000);
  const answers = await Promise.all(Array.from({ length: 40 }, () => post(body, { "content-encoding": "gzip" })));
  const statuses = Map.groupBy(answers, ({ status }) => status);
  expect([...statuses.keys()].filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
  expect(statuses.get(429)?.length ?? 0).toBeGreaterThan(20);
  expect(peakMib()).toBeLessThan(1_000);
});

it("SIZ-03 a body over 64 MiB is refused, with its length told and without", async () => {
  const large = Buffer.alloc(64 * 1024 * 1024 + 1);
  expect((await post(large)).status).toBe(413);
  expect(await postUntold(large.subarray(0, -1), large.subarray(-1))).toBe(413);
});

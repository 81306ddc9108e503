import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Signal } from "../../collector/base/signal.ts";
import { transcodeJson } from "../../collector/otlp/decode-json.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { connectGrpc, EXPORT_PATHS } from "../support/grpc-client.ts";
import { BASE_MS, type LogSpec, logsOf, type SpanSpec, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";

const NOW = Date.now() - 60_000 - BASE_MS;
const WITHIN = { timeout: 90_000, interval: 500 };
const traceOf = (letter: string): string => letter.repeat(32);
const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai" };
const usage = { "gen_ai.usage.input_tokens": 631, "gen_ai.usage.output_tokens": 35 };
const span = (trace: string, spec: SpanSpec): object => tracesOf({ ...spec, trace: traceOf(trace), at: NOW + (spec.at ?? 0) });
const log = (spec: LogSpec): object => logsOf({ ...spec, at: NOW + (spec.at ?? 0) });

async function overHttp(program: Program, signal: "traces" | "logs", body: object): Promise<void> {
  const answer = await fetch(`${program.otlpUrl}/v1/${signal}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect([answer.status, await answer.text()]).toEqual([200, "{}"]);
}

async function overGrpc(program: Program, signal: Extract<Signal, "traces" | "logs">, body: object): Promise<void> {
  const client = connectGrpc(program.otlpGrpcUrl, "gzip");
  const { code } = await client.send(EXPORT_PATHS[signal], transcodeJson(Buffer.from(JSON.stringify(body)), signal));
  client.close();
  expect(code).toBe("OK");
}

describeEachServer("two collectors on one database, one of them started anew, over HTTP and gRPC", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  let first: Program;
  let second: Program;
  const start = (): Promise<Program> => startProgram({ env: { DATABASE_URL: database.url } });
  beforeAll(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
    [first, second] = await Promise.all([start(), start()]);
  }, 120_000);
  afterAll(async () => {
    for (const program of [first, second]) {
      await program.end();
      removeFolder(program);
    }
    await sql.end();
    await database[Symbol.asyncDispose]();
  }, 60_000);

  const rows = (trace: string) =>
    sql`SELECT span_id, tokens_total::int AS tokens, attempts_count, prompt_full_text IS NOT NULL AS asked FROM generation_logs WHERE trace_id = ${traceOf(trace)}`;

  it("bring every call together from its parts", { timeout: 300_000 }, async () => {
    const events = ["api_request", "api_error"].map((name) =>
      log({ name: `claude_code.${name}`, attributes: { "prompt.id": "p", model: "claude", input_tokens: 5, duration_ms: 40 } }),
    );
    const told = { ...chat, ...usage };
    const judgement = { "gen_ai.evaluation.name": "truth", "gen_ai.evaluation.score.value": 1, "gen_ai.response.id": "r-1" };
    await overGrpc(first, "traces", span("a", { id: "inner", parent: "step", at: 10, tookMs: 80, attributes: told }));
    await overHttp(second, "traces", span("a", { id: "outer", attributes: told }));
    await overGrpc(second, "logs", log({ trace: traceOf("b"), span: "call", name: "gen_ai.user.message", attributes: { content: "Hi" } }));
    await overGrpc(second, "logs", log({ name: "gen_ai.evaluation.result", attributes: judgement }));
    const below = { parent: "call", tookMs: 20, kind: 3 };
    const resent = { "http.request.method": "POST", "url.full": "https://api.openai.com/v1/responses", "http.request.resend_count": 2 };
    const token = { "http.request.method": "POST", "url.full": "https://login.example.com/token" };
    await overHttp(first, "traces", span("b", { ...below, id: "token", at: 5, attributes: token }));
    await overHttp(first, "traces", span("b", { ...below, id: "third", at: 50, attributes: resent }));
    for (const event of events) {
      await overHttp(first, "logs", event);
      await overGrpc(second, "logs", event);
    }
    expect(await first.end()).toBe(0);
    removeFolder(first);
    first = await start();
    const call = span("b", { id: "call", attributes: { ...chat, "gen_ai.response.id": "r-1" } });
    for (const program of [first, second]) await overHttp(program, "traces", call);
    await overGrpc(first, "traces", span("a", { id: "step", parent: "outer", at: 5, tookMs: 90 }));
    for (const event of events) await overGrpc(first, "logs", event);

    await expect.poll(() => rows("a"), WITHIN).toEqual([{ span_id: spanIdOf("inner"), tokens: 666, attempts_count: null, asked: false }]);
    await expect.poll(() => rows("b"), WITHIN).toEqual([{ span_id: spanIdOf("call"), tokens: null, attempts_count: 3, asked: true }]);
    const judged = () => sql`SELECT trace_id, span_id, name FROM generation_scores`;
    await expect.poll(judged, WITHIN).toEqual([{ trace_id: traceOf("b"), span_id: spanIdOf("call"), name: "truth" }]);
    const alone = await sql`SELECT generation_status FROM generation_logs WHERE dialect = 'claude-code' ORDER BY generation_status`;
    expect(alone).toEqual([{ generation_status: "failed" }, { generation_status: "success" }]);
  });
});

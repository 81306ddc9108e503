import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { SpanKind, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { NodeSDK } from "@opentelemetry/sdk-node";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import type { TestCluster } from "../support/cluster.ts";
import { startPrivateCluster } from "../support/database.ts";
import { rowsFromTraces } from "../support/encoding.ts";
import { connectGrpc, EXPORT_PATHS, type GrpcClient } from "../support/grpc-client.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";
import { hasPythonModule, runPython } from "../support/python.ts";
import { recordingsOf } from "../support/recordings.ts";
import { any, keyValue, lengthField, span, spanId, tracesRequest } from "../support/wire-builder.ts";

type Spans = Parameters<OTLPTraceExporter["export"]>[0];
type ExportResult = Parameters<Parameters<OTLPTraceExporter["export"]>[1]>[0];
type Compression = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>["compression"];
/** ExportResultCode of the OpenTelemetry SDK. */
const SUCCESS = 0;
const FAILED = 1;

/** A finished model call, as an instrumentation makes it. */
async function modelCall(model: string): Promise<Spans> {
  const finished: Spans = [];
  const traceExporter = {
    export(spans: Spans, done: (result: ExportResult) => void) {
      finished.push(...spans);
      done({ code: SUCCESS });
    },
    shutdown: async () => {},
  };
  const sdk = new NodeSDK({ serviceName: "live", traceExporter, instrumentations: [], metricReaders: [], logRecordProcessors: [] });
  sdk.start();
  const active = trace.getTracer("live").startSpan("chat", { kind: SpanKind.CLIENT });
  active.setAttributes({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": model,
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.usage.output_tokens": 3,
  });
  active.end();
  await sdk.shutdown();
  trace.disable();
  return finished;
}

const exportWith = (exporter: OTLPTraceExporter, spans: Spans): Promise<ExportResult> =>
  new Promise((resolve) => exporter.export(spans, resolve));

const storedCalls = (sql: Sql, model: string) =>
  sql`SELECT model_name, provider_name, tokens_total::int AS tokens FROM generation_logs WHERE model_name = ${model}`;

describe("the running program", () => {
  let program: Program;
  let sql: Sql;
  let client: GrpcClient;
  beforeAll(async () => {
    program = await startProgram();
    sql = postgres(readEmbeddedState(`${program.folder}/data`)!.url, { max: 2, onnotice: () => {} });
    client = connectGrpc(program.otlpGrpcUrl);
  });
  afterAll(async () => {
    await sql?.end();
    // The client's connection is open: it must not hold the end up.
    expect(await program.end()).toBe(0);
    client.close();
    removeFolder(program);
  });

  it.each([["none"], ["gzip"]])(
    "the official exporter, compression %s: the call is a row when the export is reported as done",
    async (name) => {
      const exporter = new OTLPTraceExporter({ url: program.otlpGrpcUrl, compression: name as NonNullable<Compression> });
      expect(await exportWith(exporter, await modelCall(name))).toMatchObject({ code: SUCCESS });
      expect([...(await storedCalls(sql, name))]).toEqual([{ model_name: name, provider_name: "openai", tokens: 8 }]);
      await exporter.shutdown();
    },
  );

  it("the body recorded from a real gRPC client: every span is a row, and sending it again adds none", async () => {
    const { body } = recordingsOf("wire-vercel-grpc")[0]!;
    const { spans, generations } = rowsFromTraces(body);
    const ids = [...new Set(spans.map((row) => row["trace_id"] as string))];
    for (let time = 1; time <= 2; time++) {
      expect(await client.send(EXPORT_PATHS.traces, body)).toMatchObject({ code: "OK", response: Buffer.alloc(0) });
      const [stored] = await sql`SELECT count(*)::int AS n FROM spans WHERE trace_id = ANY(${ids})`;
      expect([stored!["n"], spans.length]).toEqual([6, 6]);
    }
    expect(generations.length).toBeGreaterThan(0);
  });

  it("IDS-01 a bad span costs only itself: partial success names the reason, and its bytes are kept", async () => {
    const bad = span({ traceId: Buffer.alloc(16), name: "bad over gRPC" });
    const { code, response } = await client.send(EXPORT_PATHS.traces, tracesRequest([bad, span({ spanId: spanId(4_317) })]));
    expect(code).toBe("OK");
    expect(response!.subarray(2, 4)).toEqual(Buffer.from([0x08, 1]));
    expect(response!.toString()).toContain("trace_id must not be all zero");
    const kept = await sql`SELECT raw FROM ingest_rejected WHERE signal = 'traces'`;
    expect(kept.map((row) => row["raw"])).toContainEqual(bad);
  });

  it("log records are rows; metrics without a pipeline are answered truthfully", async () => {
    const record = Buffer.concat([lengthField(5, any.string("over gRPC")), lengthField(12, "test.grpc")]);
    const resource = lengthField(1, lengthField(1, keyValue("service.name", any.string("grpc-logs"))));
    expect(await client.send(EXPORT_PATHS.logs, lengthField(1, resource, lengthField(2, lengthField(2, record))))).toMatchObject({
      code: "OK",
      response: Buffer.alloc(0),
    });
    const [stored] = await sql`SELECT count(*)::int AS n FROM log_records WHERE event_name = 'test.grpc'`;
    expect(stored!["n"]).toBe(1);
    const gauge = lengthField(2, lengthField(5, lengthField(1, Buffer.alloc(0))));
    const metrics = await client.send(EXPORT_PATHS.metrics, lengthField(1, lengthField(2, gauge)));
    expect(metrics.response!.toString()).toContain("no pipeline takes metrics");
  });

  it("SIZ-03 G3 a message of 65 MiB is RESOURCE_EXHAUSTED, and the next call is served", async () => {
    const refused = await client.send(EXPORT_PATHS.traces, Buffer.alloc(65 * 1024 * 1024), {}, 60_000);
    expect([refused.code, refused.retryAfterSeconds]).toEqual(["RESOURCE_EXHAUSTED", undefined]);
    expect((await client.send(EXPORT_PATHS.traces, Buffer.alloc(0))).code).toBe("OK");
  });

  it("what cannot be read is INVALID_ARGUMENT", async () => {
    expect((await client.send(EXPORT_PATHS.traces, Buffer.from([0x0a, 0xff]))).code).toBe("INVALID_ARGUMENT");
  });

  const hasPython = hasPythonModule("opentelemetry.exporter.otlp.proto.grpc.trace_exporter");
  it.skipIf(!hasPython)(
    "the official Python exporter, gzip (skipped where Python lacks opentelemetry-exporter-otlp-proto-grpc)",
    async () => {
      const script = `
import sys
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from grpc import Compression
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=sys.argv[1], insecure=True, compression=Compression.Gzip)))
with provider.get_tracer("live").start_as_current_span("chat") as span:
    span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "python",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 3})
provider.shutdown()
`;
      expect(await runPython(script, [program.otlpGrpcUrl])).toEqual({ code: 0, output: "" });
      expect([...(await storedCalls(sql, "python"))]).toEqual([{ model_name: "python", provider_name: "openai", tokens: 8 }]);
    },
    60_000,
  );
});

describe("with a database of one's own", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startPrivateCluster("embedded");
  });
  afterAll(() => cluster.destroy());
  const env = (): Record<string, string> => ({ DATABASE_URL: cluster.url });
  const config = (endpoint: string): string =>
    `{receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}, grpc: {endpoint: "${endpoint}"}}}}, extensions: {web: {endpoint: "127.0.0.1:0"}}}`;

  it("PRC-10 a gRPC port that another program has is one sentence that names the key to change", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const start = startProgram({ env: { ...env(), GENSPAN_LOG_LEVEL: "silent" }, config: config(`127.0.0.1:${port}`) });
    const output = await start.then(() => "started", String);
    expect(output).toContain(`The address 127.0.0.1:${port} is in use by another program`);
    expect(output).toContain("receivers::otlp::protocols::grpc::endpoint");
    other.close();
  });

  it("AUT-01 a gRPC address that others can reach wants a key before it is served", async () => {
    const start = startProgram({ env: { ...env(), GENSPAN_LOG_LEVEL: "silent" }, config: config("0.0.0.0:0") });
    expect(await start.then(() => "started", String)).toContain("genspan key create");
  });

  it("G7 while the database is gone calls are UNAVAILABLE with RetryInfo; the official exporter delivers when it is back, once", async () => {
    const program = await startProgram({ env: env() });
    const client = connectGrpc(program.otlpGrpcUrl);
    const exporter = new OTLPTraceExporter({ url: program.otlpGrpcUrl });
    const call = await modelCall("after an outage");
    try {
      await cluster.kill9();
      const [answer, first] = await Promise.all([
        client.send(EXPORT_PATHS.traces, tracesRequest([span({ spanId: spanId(1) })])),
        exportWith(exporter, call),
      ]);
      expect(answer).toMatchObject({ code: "UNAVAILABLE", retryAfterSeconds: 1 });
      expect(first.code).toBe(FAILED);
      await cluster.start();
      await vi.waitFor(async () => expect((await exportWith(exporter, call)).code).toBe(SUCCESS), { timeout: 30_000 });
      const sql = postgres(cluster.url, { max: 1, onnotice: () => {} });
      expect(await storedCalls(sql, "after an outage")).toHaveLength(1);
      await sql.end();
      await exporter.shutdown();
      expect(await program.end()).toBe(0);
    } finally {
      client.close();
      await program.end("SIGKILL");
      removeFolder(program);
    }
  }, 120_000);

  it("AUT-02 once a key exists it opens gRPC metadata and, as Basic password, the paths of Langfuse's clients; without it both refuse", async () => {
    const key = (await runCli(["key", "create", "--name", "app"], env())).stdout.trim();
    expect(key).not.toBe("");
    const program = await startProgram({ env: env() });
    const client = connectGrpc(program.otlpGrpcUrl);
    const body = tracesRequest([span({ spanId: spanId(2) })]);
    const post = (authorization: string): Promise<Response> =>
      fetch(`${program.otlpUrl}/api/public/otel/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/x-protobuf", authorization },
        body: new Uint8Array(body),
      });
    const basic = (password: string): string => `Basic ${Buffer.from(`pk-lf-1:${password}`).toString("base64")}`;
    try {
      expect((await client.send(EXPORT_PATHS.traces, body)).code).toBe("UNAUTHENTICATED");
      expect((await client.send(EXPORT_PATHS.traces, body, { authorization: `Bearer ${key}` })).code).toBe("OK");
      expect((await client.send(EXPORT_PATHS.traces, body, { "x-service-key": key })).code).toBe("OK");
      expect([(await post(basic(key))).status, (await post(basic("wrong"))).status]).toEqual([200, 401]);
      expect(await program.end()).toBe(0);
    } finally {
      client.close();
      await program.end("SIGKILL");
      removeFolder(program);
    }
  }, 60_000);
});

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { SpanKind, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { rowsFromTraces } from "../support/encoding.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";
import { recording, recordingsOf } from "../support/recordings.ts";
import { span, spanId, tracesRequest } from "../support/wire-builder.ts";

let program: Program;
let sql: Sql;

beforeAll(async () => {
  program = await startProgram();
  const state = readEmbeddedState(`${program.folder}/data`);
  sql = postgres(state!.url, { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  await sql?.end();
  expect(await program.end()).toBe(0);
  removeFolder(program);
});

const post = (body: Buffer | string, headers: Record<string, string>, path = "/v1/traces"): Promise<Response> =>
  fetch(program.otlpUrl + path, { method: "POST", headers, body: typeof body === "string" ? body : new Uint8Array(body) });

const PROTOBUF = { "content-type": "application/x-protobuf" };

describe("bodies recorded from real clients", () => {
  it.each(["otel-openai", "vercel-otel", "nodesdk-defaults", "wire-vercel-gzip-proto"])(
    "%s: every span and log record is a row when the 200 comes",
    async (client) => {
      for (const each of recordingsOf(client)) {
        const sent = each.contentEncoding === "gzip" ? gzipSync(each.body) : each.body;
        const encoding = each.contentEncoding === "gzip" ? { "content-encoding": "gzip" } : {};
        const response = await post(sent, { "content-type": each.contentType, ...encoding }, each.path);
        expect([each.name, response.status]).toEqual([each.name, 200]);
        if (each.path !== "/v1/traces") continue;
        const { spans, generations } = rowsFromTraces(each.body);
        const traceIds = [...new Set(spans.map((row) => row["trace_id"] as string))];
        const [stored] = await sql`SELECT count(*)::int AS spans FROM spans WHERE trace_id = ANY(${traceIds})`;
        const [called] = await sql`SELECT count(*)::int AS calls FROM generation_logs WHERE trace_id = ANY(${traceIds})`;
        expect([each.name, stored!["spans"], called!["calls"]]).toEqual([each.name, spans.length, generations.length]);
      }
    },
  );

  it("metrics without a pipeline are answered truthfully and not stored", async () => {
    const metrics = recordingsOf("nodesdk-defaults").find((each) => each.path === "/v1/metrics")!;
    const response = await post(metrics.body, { "content-type": metrics.contentType }, "/v1/metrics");
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).toString()).toContain("no pipeline takes metrics");
  });

  it("H24 a resend is acknowledged and stores nothing anew", async () => {
    const { body } = recording("vercel-otel", "generateText");
    const before = await sql`SELECT count(*)::int AS n FROM spans`;
    expect((await post(body, PROTOBUF)).status).toBe(200);
    expect(await sql`SELECT count(*)::int AS n FROM spans`).toEqual(before);
  });
});

describe("live official exporters", () => {
  it.each([
    ["JSON", JsonExporter],
    ["protobuf", ProtobufExporter],
  ])("a NodeSDK with the %s exporter and nothing but an endpoint gets its model call into generation_logs", async (name, Exporter) => {
    const sdk = new NodeSDK({
      serviceName: `live-${name}`,
      traceExporter: new Exporter({ url: `${program.otlpUrl}/v1/traces` }),
      instrumentations: [],
      metricReaders: [],
      logRecordProcessors: [],
    });
    sdk.start();
    const prompt = JSON.stringify([{ role: "user", parts: [{ type: "text", content: 'Grüße "你好" 🎉\r\n</script>' }] }]);
    trace.getTracer("live").startActiveSpan("chat gpt", { kind: SpanKind.CLIENT }, (active) => {
      active.setAttributes({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-live",
        "gen_ai.request.temperature": 1,
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.input.messages": prompt,
      });
      active.end();
    });
    await sdk.shutdown();
    trace.disable();
    const rows =
      await sql`SELECT model_name, model_temperature, tokens_total, response_finish_reason, prompt_full_text FROM generation_logs WHERE service_name = ${`live-${name}`}`;
    expect([...rows]).toEqual([
      { model_name: "gpt-live", model_temperature: 1, tokens_total: "8", response_finish_reason: "stop", prompt_full_text: prompt },
    ]);
  });
});

describe("answers", () => {
  it("IDS-01 bad spans cost only themselves; their bytes are kept", async () => {
    const bad = span({ traceId: Buffer.alloc(16), name: "bad" });
    const response = await post(tracesRequest([bad, span({ spanId: spanId(77) })]), PROTOBUF);
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).toString()).toContain("trace_id must not be all zero");
    const kept = await sql`SELECT raw, reason FROM ingest_rejected WHERE signal = 'traces'`;
    expect(kept.map((row) => row["raw"])).toContainEqual(bad);
  });

  it("IDS-05 a trace sent in upper case is found in lower and in upper case", async () => {
    const id = "AB".repeat(16);
    const sent = { traceId: id, spanId: "CD".repeat(8), name: "loud", startTimeUnixNano: String(BigInt(Date.now()) * 1_000_000n) };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [sent] }] }] });
    expect((await post(body, { "content-type": "application/json" })).status).toBe(200);
    expect(await sql`SELECT trace_id FROM spans WHERE name = 'loud'`).toEqual([{ trace_id: id.toLowerCase() }]);
    for (const asked of [id.toLowerCase(), id]) {
      const response = await fetch(`${program.webUrl}/api/traces/${asked}`);
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('"loud"')]);
    }
  });

  it.each([
    ["an undecodable body", Buffer.from([0x0a, 0xff]), PROTOBUF, 400],
    ["an empty JSON body", "", { "content-type": "application/json" }, 400],
    ["an unknown content type", "x", { "content-type": "text/plain" }, 415],
    ["broken gzip", Buffer.from("no"), { ...PROTOBUF, "content-encoding": "gzip" }, 400],
    ["an unknown encoding", Buffer.from("no"), { ...PROTOBUF, "content-encoding": "br" }, 415],
    ["SIZ-04 a gzip bomb", gzipSync(Buffer.alloc(80 * 1024 * 1024)), { ...PROTOBUF, "content-encoding": "gzip" }, 413],
    ["an empty request", Buffer.alloc(0), PROTOBUF, 200],
  ])("%s", async (_, body, headers, status) => {
    expect((await post(body, headers)).status).toBe(status);
  });

  it("OPS-01 received = stored + duplicate + rejected + spooled + refused, and stored agrees with the tables", async () => {
    const mixed = tracesRequest([span({ spanId: spanId(78) }), span({ spanId: spanId(79) }), span({ spanId: Buffer.alloc(8) })]);
    for (let i = 0; i < 2; i++) expect((await post(mixed, PROTOBUF)).status).toBe(200);
    const text = await (await fetch(`${program.webUrl}/metrics`)).text();
    const value = (name: string): number =>
      [...text.matchAll(new RegExp(`^${name} (\\d+)`, "gm"))].reduce((sum, match) => sum + Number(match[1]), 0);
    for (const signal of ["traces", "logs", "metrics"]) {
      const outcomes = ["stored", "duplicate", "rejected", "spooled", "refused"].map((outcome) =>
        value(`genspan_items_total\\{signal="${signal}",outcome="${outcome}"\\}`),
      );
      expect(outcomes.reduce((sum, each) => sum + each)).toBe(value(`genspan_received_items_total\\{signal="${signal}"\\}`));
    }
    for (const [outcome, atLeast] of Object.entries({ stored: 2, duplicate: 2, rejected: 2 })) {
      expect(value(`genspan_items_total\\{signal="traces",outcome="${outcome}"\\}`)).toBeGreaterThanOrEqual(atLeast);
    }
    const [{ n }] = (await sql`SELECT count(*)::int AS n FROM spans`) as unknown as [{ n: number }];
    expect(value('genspan_items_total\\{signal="traces",outcome="stored"\\}')).toBe(n);
  });
});

describe("the start page and health", () => {
  it("shows what arrived last, escaped", async () => {
    await post(
      tracesRequest([
        span({
          spanId: spanId(99),
          name: "<img src=x onerror=window.__x=1>",
          start: BigInt(Date.now()) * 1_000_000n,
          end: BigInt(Date.now() + 5) * 1_000_000n,
        }),
      ]),
      PROTOBUF,
    );
    const page = await (await fetch(`${program.webUrl}/`)).text();
    expect(page).toContain("&lt;img src=x onerror=window.__x=1&gt;");
    expect(page).not.toContain("<img");
  });

  it("is ready and healthy", async () => {
    for (const path of ["/healthz", "/livez", "/readyz"]) expect((await fetch(program.webUrl + path)).status).toBe(200);
  });

  it("a Host header of another name is refused while no key exists (DNS rebinding)", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) =>
      request(`${program.webUrl}/`, { headers: { host: "evil.example" } }, (answer) => resolve(answer.statusCode)).end(),
    );
    expect(status).toBe(403);
  });
});

describe("commands", () => {
  const env = (): Record<string, string> => ({ GENSPAN_DATA_DIR: `${program.folder}/data` });

  it("doctor sends a span and reads it back", async () => {
    const { code, stdout } = await runCli(["doctor", "--endpoint", program.otlpUrl], env());
    expect([...stdout.matchAll(/^(\w+) +([a-z ]+):/gm)].map(([, mark, name]) => [mark, name])).toEqual(
      ["configuration", "disk", "database", "schema", "rights", "clock", "reading", "ingest", "read back"].map((name) => ["ok", name]),
    );
    expect(code).toBe(0);
  });

  it("doctor tells by its exit code that nobody answers", async () => {
    expect((await runCli(["doctor", "--endpoint", "http://127.0.0.1:1"], env())).code).toBe(5);
  });

  it("sql reads and cannot write", async () => {
    const { stdout } = await runCli(["sql", "-o", "json", "SELECT 9007199254740993::bigint AS n, '{\"a\":1.0}'::jsonb AS j"], env());
    expect(stdout).toBe('[{"n":"9007199254740993","j":{"a": 1.0}}]\n');
    const refused = await runCli(["sql", "DELETE FROM spans"], env());
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/read-only|permission denied/);
  });

  it("README's curl and query work as printed", async () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const block = (name: string): string => new RegExp(`readme-test: ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(readme)![1]!;
    const answer = execFileSync("sh", ["-c", block("send").replace("http://127.0.0.1:4318", program.otlpUrl)], { encoding: "utf8" });
    expect(answer).toBe("{}");
    const query = /genspan sql "([\s\S]*?)"\n/.exec(block("query"))![1]!;
    const { stdout } = await runCli(["sql", query], env());
    expect(stdout).toContain("Say hello");
    expect(stdout).toContain("gpt-4o-mini");
  });

  it("wrong usage ends with 2 and a suggestion", async () => {
    const { code, stderr } = await runCli(["serv"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean serve?");
  });
});

import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Authentication } from "../../collector/base/authenticate.ts";
import { createLog } from "../../collector/base/log.ts";
import { createMetrics } from "../../collector/base/metrics.ts";
import { accepted, type Outcome, partial, rejected, retryable } from "../../collector/base/outcome.ts";
import type { IncomingRequest } from "../../collector/base/signal.ts";
import { createByteBudget } from "../../collector/receivers/byte-budget.ts";
import { createOtlpHttpReceiver, type OtlpHttpOptions } from "../../collector/receivers/otlp-http.ts";
import { span, tracesRequest } from "../support/wire-builder.ts";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";
const LIMIT = 10_000;
const BODY = tracesRequest([span()]);

interface Rig {
  readonly seen: IncomingRequest[];
  post(path: string, body: Buffer | string | undefined, headers?: Record<string, string>): Promise<Response>;
  request(path: string, init: RequestInit): Promise<Response>;
}

function rig(outcome: Outcome | (() => Promise<Outcome>) = accepted(), more: Partial<OtlpHttpOptions> = {}): Rig {
  const seen: IncomingRequest[] = [];
  const app = createOtlpHttpReceiver({
    consume: async (request) => {
      seen.push(request);
      return typeof outcome === "function" ? outcome() : outcome;
    },
    authenticate: async (): Promise<Authentication> => ({ kind: "granted", projectId: 7 }),
    paths: { traces: "/v1/traces", logs: "/v1/logs", metrics: "/v1/metrics" },
    maxRequestBodyBytes: LIMIT,
    budget: createByteBudget(LIMIT * 4),
    cors: undefined,
    metrics: createMetrics(),
    log: createLog("silent"),
    ...more,
  });
  const request = async (path: string, init: RequestInit): Promise<Response> => app.request(path, init);
  return {
    seen,
    request,
    post: (path, body, headers = { "content-type": PROTOBUF }) =>
      request(path, {
        method: "POST",
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
      }),
  };
}

const bytes = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

describe("paths, methods, types", () => {
  it.each(["traces", "logs", "metrics"] as const)("H1 /v1/%s is handed on as its signal, with project and arrival", async (signal) => {
    const { post, seen } = rig();
    expect((await post(`/v1/${signal}`, BODY)).status).toBe(200);
    expect(seen).toMatchObject([{ signal, encoding: "protobuf", projectId: 7, body: BODY }]);
    expect(Math.abs(Date.now() - seen[0]!.receivedAtMs)).toBeLessThan(5_000);
  });

  it.each(["traces", "logs", "metrics"] as const)("%s sent as to Langfuse are the same signal", async (signal) => {
    const { post, request, seen } = rig();
    expect((await post(`/api/public/otel/v1/${signal}`, BODY)).status).toBe(200);
    expect(seen).toMatchObject([{ signal, body: BODY }]);
    expect((await request(`/api/public/otel/v1/${signal}`, { method: "GET" })).status).toBe(405);
  });

  it.each(["/v1/traces/", "/api/public/otel/v1/traces/"])("%s, with a slash too many, is taken", async (path) => {
    const { post, request, seen } = rig();
    expect((await post(path, BODY)).status).toBe(200);
    expect(seen).toMatchObject([{ signal: "traces", body: BODY }]);
    expect((await request(path, { method: "GET" })).status).toBe(405);
    expect((await post(`${path}/`, BODY)).status).toBe(404);
  });

  it.each([
    [PROTOBUF, "protobuf"],
    [JSON_TYPE, "json"],
    ["application/json; charset=utf-8", "json"],
    ["Application/X-Protobuf", "protobuf"],
  ])("H3 H4 %s is %s", async (type, encoding) => {
    const { post, seen } = rig();
    const response = await post("/v1/traces", "{}", { "content-type": type });
    expect(seen[0]).toMatchObject({ encoding });
    expect(response.headers.get("content-type")).toBe(encoding === "json" ? JSON_TYPE : PROTOBUF);
  });

  it.each([[undefined], ["text/plain"], ["application/x-www-form-urlencoded"], ["application/grpc"]])(
    "HTP-02 H6 Content-Type %s is 415, plain text, and nothing is handed on",
    async (type) => {
      const { post, seen } = rig();
      const response = await post("/v1/traces", BODY, type === undefined ? {} : { "content-type": type });
      expect(response.status).toBe(415);
      expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
      expect(seen).toEqual([]);
    },
  );

  it.each(["GET", "PUT", "DELETE", "PATCH"])("HTP-01 H6 %s is 405 with Allow: POST", async (method) => {
    const response = await rig().request("/v1/traces", { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  });

  it("E1 another path is 404 and names the right ones", async () => {
    const response = await rig().post("/", BODY);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("/v1/traces");
  });
});

describe("content encoding", () => {
  it.each([
    ["gzip", gzipSync(BODY)],
    ["x-gzip", gzipSync(BODY)],
    ["identity", BODY],
    ["deflate", deflateSync(BODY)],
    ["zstd", zstdCompressSync(BODY)],
    ["GZIP", gzipSync(BODY)],
  ])("H7 %s is understood", async (encoding, body) => {
    const { post, seen } = rig();
    expect((await post("/v1/traces", body, { "content-type": PROTOBUF, "content-encoding": encoding })).status).toBe(200);
    expect(seen[0]!.body).toEqual(BODY);
  });

  it("HTP-05 two gzip members are both read", async () => {
    const { post, seen } = rig();
    await post("/v1/traces", Buffer.concat([gzipSync(BODY), gzipSync(BODY)]), { "content-type": PROTOBUF, "content-encoding": "gzip" });
    expect(seen[0]!.body).toEqual(Buffer.concat([BODY, BODY]));
  });

  it.each([
    ["HTP-04 gzip that is none", BODY, "gzip", 400],
    ["HTP-05 H8 truncated gzip", gzipSync(BODY).subarray(0, -6), "gzip", 400],
    ["HTP-05 gzip with trailing garbage", Buffer.concat([gzipSync(BODY), Buffer.from("garbage")]), "gzip", 400],
    ["HTP-05 deflate with trailing garbage", Buffer.concat([deflateSync(BODY), Buffer.from("garbage")]), "deflate", 400],
    ["HTP-06 an unknown encoding", BODY, "br", 415],
    ["HTP-06 two encodings", gzipSync(gzipSync(BODY)), "gzip, gzip", 415],
  ])("%s is refused and never handed on", async (_, body, encoding, status) => {
    const { post, seen } = rig();
    const response = await post("/v1/traces", body, { "content-type": PROTOBUF, "content-encoding": encoding });
    expect([response.status, seen.length]).toEqual([status, 0]);
    expect(response.headers.get("content-type")).toMatch(status === 415 ? /^text\/plain/ : PROTOBUF);
    if (status === 415) expect(await response.text()).toContain("gzip");
  });
});

describe("limits", () => {
  it("SIZ-03 H9 a body of the limit passes, one byte more is 413, with and without Content-Length", async () => {
    const { post, seen } = rig();
    expect((await post("/v1/traces", Buffer.alloc(LIMIT))).status).toBe(200);
    expect((await post("/v1/traces", Buffer.alloc(LIMIT + 1))).status).toBe(413);
    expect(
      (await post("/v1/traces", Buffer.alloc(LIMIT + 1), { "content-type": PROTOBUF, "content-length": String(LIMIT + 1) })).status,
    ).toBe(413);
    expect(seen).toHaveLength(1);
  });

  it("SIZ-04 H10 a body that inflates beyond the limit is 413", async () => {
    const { post, seen } = rig();
    const bomb = gzipSync(Buffer.alloc(LIMIT * 500));
    expect(bomb.length).toBeLessThan(LIMIT);
    expect((await post("/v1/traces", bomb, { "content-type": PROTOBUF, "content-encoding": "gzip" })).status).toBe(413);
    expect(seen).toEqual([]);
  });
});

describe("memory", () => {
  it("MEM-01 what bodies have grown to counts until they are answered: beyond the budget the answer is 429, afterwards they are taken again", async () => {
    const gate = Promise.withResolvers<void>();
    const budget = createByteBudget(LIMIT * 3 + 1_000);
    const answered = async (): Promise<Outcome> => {
      await gate.promise;
      return accepted();
    };
    const { post, seen } = rig(answered, { budget });
    const zipped = gzipSync(Buffer.alloc(LIMIT));
    const headers = { "content-type": PROTOBUF, "content-encoding": "gzip" };
    const answers = Array.from({ length: 10 }, () => post("/v1/traces", zipped, headers));
    await expect.poll(() => seen.length).toBe(3);
    gate.resolve();
    expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([
      200,
      200,
      200,
      ...Array.from({ length: 7 }, () => 429),
    ]);
    expect(budget.usedBytes).toBe(0);
    expect((await post("/v1/traces", zipped, headers)).status).toBe(200);
  });
});

describe("answers", () => {
  const BOTH = [PROTOBUF, JSON_TYPE];

  it("H11 success is an empty message: no bytes in protobuf, {} in JSON", async () => {
    expect(await bytes(await rig().post("/v1/traces", BODY))).toEqual(Buffer.alloc(0));
    expect(await (await rig().post("/v1/traces", "{}", { "content-type": JSON_TYPE })).text()).toBe("{}");
  });

  it.each([
    ["traces", "rejectedSpans"],
    ["logs", "rejectedLogRecords"],
    ["metrics", "rejectedDataPoints"],
  ])("H13 partial success of %s counts under %s, an int64 as text", async (signal, field) => {
    const response = await rig(partial(3, "three are bad")).post(`/v1/${signal}`, "{}", { "content-type": JSON_TYPE });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ partialSuccess: { [field]: "3", errorMessage: "three are bad" } });
  });

  it("H13 partial success in protobuf has the count as field 1 and the message as field 2", async () => {
    expect(await bytes(await rig(partial(3, "bad")).post("/v1/traces", BODY))).toEqual(Buffer.from("0a0708031203626164", "hex"));
  });

  it("H14 a warning on full acceptance is a message without a count", async () => {
    expect(await (await rig(accepted("careful")).post("/v1/traces", "{}", { "content-type": JSON_TYPE })).json()).toEqual({
      partialSuccess: { rejectedSpans: "0", errorMessage: "careful" },
    });
  });

  it.each<[string, Outcome, number, number]>([
    ["an undecodable body", rejected("undecodable", "m"), 400, 3],
    ["no key", rejected("unauthenticated", "m"), 401, 16],
    ["a key without the scope", rejected("forbidden", "m"), 403, 7],
    ["too large", rejected("too_large", "m"), 413, 8],
    ["overload", retryable("overload", "m"), 429, 8],
    ["the database", retryable("database", "m"), 503, 14],
    ["a deadline", retryable("deadline", "m"), 503, 14],
    ["stopping", retryable("stopping", "m"), 503, 14],
  ])("HTP-07 H5 H16 H17 H18 H25 %s: status and google.rpc.Status in the request's encoding", async (_, outcome, http, code) => {
    for (const type of BOTH) {
      const response = await rig(outcome).post("/v1/traces", type === JSON_TYPE ? "{}" : BODY, { "content-type": type });
      expect([response.status, response.headers.get("content-type")]).toEqual([http, type]);
      if (type === JSON_TYPE) expect(await response.json()).toEqual({ code, message: "m" });
      else expect(await bytes(response)).toEqual(Buffer.from([0x08, code, 0x12, 0x01, 0x6d]));
      const retryAfter = response.headers.get("retry-after");
      if (http === 429 || http === 503) expect(retryAfter).toMatch(/^[1-3]$/);
      else expect(retryAfter).toBeNull();
    }
  });

  it("H19 a longer wait is cut to what a JavaScript exporter survives", async () => {
    const response = await rig(retryable("database", "m", 60)).post("/v1/traces", BODY);
    expect(response.headers.get("retry-after")).toBe("3");
  });

  it("HTP-19 H20 a message stays short", async () => {
    const response = await rig(partial(100_000, "x".repeat(100_000))).post("/v1/traces", BODY);
    expect((await bytes(response)).length).toBeLessThan(4_096);
  });

  it("PRC-06 H26 a failure inside is 503 for that request, and the next one is served", async () => {
    let fail = true;
    const { post } = rig(async () => {
      if (fail) throw new Error("canary");
      return accepted();
    });
    const response = await post("/v1/traces", BODY);
    expect(response.status).toBe(503);
    expect((await bytes(response)).toString()).not.toContain("canary");
    fail = false;
    expect((await post("/v1/traces", BODY)).status).toBe(200);
  });

  it("an answer comes within the deadline even if the work never ends", async () => {
    const { post } = rig(() => new Promise<Outcome>(() => {}), { deadlineMillis: 100 });
    expect((await post("/v1/traces", BODY)).status).toBe(503);
  });

  it("AUT-02 a sender that may not is told how, and its body is not read", async () => {
    const { post, seen } = rig(accepted(), { authenticate: async () => rejected("unauthenticated", "a key is required") });
    const response = await post("/v1/traces", BODY);
    expect([response.status, response.headers.get("www-authenticate"), seen.length]).toEqual([401, 'Bearer realm="genspan"', 0]);
  });
});

describe("H27 browsers", () => {
  const cors = { allowed_origins: ["https://*.example"], allowed_headers: ["x-team"], max_age: 60 };
  const preflight = (options: Partial<OtlpHttpOptions>, origin: string): Promise<Response> =>
    rig(accepted(), options).request("/v1/traces", { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });

  it("an allowed origin is answered", async () => {
    const response = await preflight({ cors }, "https://app.example");
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(response.headers.get("access-control-allow-headers")).toContain("x-team");
  });

  it.each([
    ["another origin", { cors }, "https://evil.test"],
    ["a longer name", { cors }, "https://app.example.evil.test"],
    ["no configuration", {}, "https://app.example"],
  ])("%s is not", async (_, options, origin) => {
    expect((await preflight(options, origin)).headers.get("access-control-allow-origin")).toBeNull();
  });
});

import assert from "node:assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { context, diag, logs, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemorySpanExporter, SimpleSpanProcessor, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { install } from "../../../../sdk/core/current.ts";
import { createPipeline } from "../../../../sdk/core/pipeline.ts";
import { createProblems } from "../../../../sdk/core/problems.ts";
import { resolveOptions } from "../../../../sdk/core/settings.ts";
import {
  generate,
  ImageTracer,
  linkGeneration,
  RunReporter,
  spanProcessor,
  startGeneration,
  startItem,
  startTracing,
  type Tracing,
  type TracingOptions,
  type TracingProblem,
} from "../../../../sdk/index.ts";
import { type Sink, startSink } from "../../../support/sdk/sink.ts";

let sink: Sink;
let tracing: Tracing | undefined;
let problems: TracingProblem[];

beforeEach(async () => {
  sink = await startSink();
  problems = [];
});

afterEach(async () => {
  await tracing?.shutdown({ timeoutMillis: 2_000 });
  tracing = undefined;
  vi.unstubAllEnvs();
  await sink.close();
});

function start(options: TracingOptions = {}): Tracing {
  tracing = startTracing({ endpoint: sink.url, exitHooks: false, onProblem: (problem) => problems.push(problem), ...options });
  return tracing;
}

const CALL = { model: "gpt-5", provider: "openai", prompt: { text: "Why?" } };

describe("a process without an OpenTelemetry set-up", () => {
  it("gets one: spans of any tracer go the same way, generations are their children", async () => {
    start({ serviceName: "shop", serviceVersion: "1.2", environment: "test", resourceAttributes: { team: "a" } });
    await trace.getTracer("app").startActiveSpan("request", async (span) => {
      await generate(CALL, () => "because");
      span.end();
    });
    await tracing!.flush();
    const spans = sink.spans();
    const request = spans.find(({ name }) => name === "request");
    const generation = spans.find(({ name }) => name === "chat gpt-5");
    expect(generation).toMatchObject({ parentSpanId: request!.spanId, traceId: request!.traceId, scope: "@genspan/sdk" });
    expect(generation!.resource).toMatchObject({
      "service.name": "shop",
      "service.version": "1.2",
      "deployment.environment.name": "test",
      team: "a",
    });
    expect(request!.resource).toEqual(generation!.resource);
  });

  it("is left as it was by the shutdown, and can be started anew", async () => {
    start();
    await tracing!.shutdown();
    expect(trace.getTracer("app").startSpan("after").isRecording()).toBe(false);
    start();
    startGeneration(CALL).succeed({ text: "again" });
    await tracing!.flush();
    expect(sink.spans().map(({ name }) => name)).toEqual(["chat gpt-5"]);
  });

  it.each([
    ["has no shutdown", {}],
    [
      "throws in its shutdown",
      {
        shutdown() {
          throw new Error("no");
        },
      },
    ],
    ["never ends its shutdown", { shutdown: () => new Promise(() => {}) }],
  ])("a processor of the application's that %s keeps the SDK neither from stopping nor from starting anew", async (_, wrong) => {
    const processor = { onStart() {}, onEnd() {}, forceFlush: async () => {}, ...wrong };
    start({ spanProcessors: [processor as unknown as SpanProcessor] });
    startGeneration(CALL).succeed({ text: "first" });
    expect(await tracing!.shutdown({ timeoutMillis: 1_000 })).toEqual({ complete: true, remaining: 0 });
    start();
    startGeneration(CALL).succeed({ text: "again" });
    await tracing!.flush();
    expect(sink.spans()).toHaveLength(2);
  });

  it("a start never throws, whatever the options are made of", async () => {
    const refuse = (): never => {
      throw new Error("refused");
    };
    const hostile = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse });
    for (const name of ["content", "redact", "headers", "resourceAttributes", "limits", "instrumentations", "spanProcessors", "forward"]) {
      start({ [name]: hostile, exitTimeoutMillis: 1 });
      expect(await generate(CALL, () => "answer")).toBe("answer");
      await tracing!.shutdown({ timeoutMillis: 2_000 });
      tracing = undefined;
    }
    expect(problems.filter(({ kind }) => kind === "configuration")).not.toEqual([]);
    expect(() => startTracing(hostile).shutdown()).not.toThrow();
    await startTracing().shutdown({ timeoutMillis: 100 });
  });

  it("a second start returns the running SDK", () => {
    const first = start();
    expect(startTracing({ endpoint: "http://127.0.0.1:1" })).toBe(first);
  });

  it("starts the instrumentations that it is given, and sends logs beside the spans because some put prompts there", async () => {
    const given: unknown[] = [];
    const instrumentation = {
      instrumentationName: "test",
      instrumentationVersion: "1",
      setTracerProvider: (provider: unknown) => given.push(provider),
      setMeterProvider() {},
      setLoggerProvider() {},
      enable() {},
      disable() {},
      setConfig() {},
      getConfig: () => ({}),
    };
    start({ instrumentations: [instrumentation], apiKey: "k" });
    logs.getLogger("test").emit({ body: "a prompt" });
    await tracing!.shutdown();
    const [request] = sink.requests.filter(({ url }) => url === "/v1/logs");
    expect([given.length, request!.headers["authorization"], request!.body.toString()]).toEqual([
      1,
      "Bearer k",
      expect.stringContaining("a prompt"),
    ]);
  });

  it("keeps all attributes of a span with many", async () => {
    start();
    const attributes = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`a${i}`, i]));
    trace.getTracer("app").startSpan("many", { attributes }).end();
    await tracing!.flush();
    expect(Object.keys(sink.spans()[0]!.attributes)).toHaveLength(1_000);
  });

  it("sends neither logs nor metrics where nobody asks for them", async () => {
    start();
    logs.getLogger("test").emit({ body: "a line" });
    startGeneration(CALL).succeed();
    await tracing!.shutdown();
    expect(sink.requests.map(({ url }) => url)).toEqual(["/v1/traces"]);
  });

  it("await using delivers at the end of the scope", async () => {
    {
      await using _scoped = startTracing({ endpoint: sink.url, exitHooks: false });
      startGeneration(CALL).succeed();
    }
    expect(sink.spans()).toHaveLength(1);
  });
});

describe("started anew", () => {
  it("delivers late words of generations that were made before", async () => {
    start({ pending: "off" });
    const generation = startGeneration(CALL);
    generation.succeed();
    await tracing?.shutdown();
    start({ pending: "off" });
    generation.link({ type: "definitie", id: 456 });
    await tracing?.shutdown();
    const update = sink.spans().find(({ attributes }) => attributes["genspan.record"] === "update");
    expect(update).toMatchObject({ parentSpanId: generation.ref.spanId, attributes: { "genspan.entity.id": "456" } });
  });
});

describe("records that outlive a tracing", () => {
  it("leave by the one that was started since: items, runs and images that were begun before", async () => {
    start({ pending: "off" });
    const item = startItem({ kind: "problem" });
    const images = new ImageTracer("lesson-1");
    await images.startTrace({ prompts: [] });
    const run = new RunReporter({ via: "otlp" }).start({ requested: 1 });
    await tracing?.shutdown();
    start({ pending: "off" });
    item.complete();
    item.quality({ status: "approved" });
    await images.completeTrace({});
    expect(await run.finish({ exitCode: 0 })).toMatchObject({ status: "sent" });
    const records = sink.spans().map(({ attributes }) => attributes["genspan.record"]);
    expect(records.filter((record) => record !== "pending").toSorted()).toEqual(["image", "item", "run", "update"]);
  });

  it("items begun by the second tracing are its own", async () => {
    start({ serviceName: "first" });
    await tracing?.shutdown();
    start({ serviceName: "second", pending: "off" });
    const item = startItem();
    await item.generate({ model: "m" }, () => "text");
    item.complete();
    item.link({ type: "problem", id: 1 });
    await tracing?.flush();
    expect(sink.spans().map(({ resource }) => resource["service.name"])).toEqual(["second", "second", "second"]);
  });

  it("that end while the shutdown is not quite over are given up", async () => {
    const pipeline = createPipeline(
      resolveOptions({ endpoint: sink.url }),
      createProblems(() => {}),
    );
    install(pipeline.current);
    await pipeline.shutdown(1_000);
    startItem().complete();
    install(undefined);
    expect(pipeline.deliveries[0]!.stats()).toMatchObject({ queued: 0, dropped: 1 });
  });

  it("a start during a shutdown starts nothing, and says so", async () => {
    const first = start();
    const stopped = first.shutdown();
    expect(startTracing({ endpoint: sink.url })).toBe(first);
    await stopped;
    expect(problems).toEqual([{ kind: "configuration", message: expect.stringContaining("has to be awaited"), count: 1 }]);
    expect(start()).not.toBe(first);
  });

  it("that nobody took over are given up and counted", async () => {
    const stopped = start({ pending: "off" });
    const item = startItem();
    await stopped.shutdown();
    item.complete();
    expect([sink.spans().length, stopped.stats().dropped]).toEqual([0, 1]);
  });
});

describe("a worker thread", () => {
  const WORKER = `
    import { startGeneration, startTracing } from "${new URL("../../../../sdk/index.ts", import.meta.url).href}";
    import { workerData } from "node:worker_threads";
    startTracing({ endpoint: workerData.url, headers: async () => ({ authorization: "Bearer made" }) });
    startGeneration({ model: "m", name: workerData.ending }).succeed();
    await new Promise((resolve) => setImmediate(resolve));
    if (workerData.ending === "exit") process.exit(3);
    if (workerData.ending === "error") throw new Error("the worker is broken");`;

  it.each([
    ["natural", 0],
    ["exit", 3],
    ["error", 1],
  ])(
    "delivers what it recorded at its end, with the headers that a function made: %s",
    async (ending, code) => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(WORKER)}`), {
        workerData: { url: sink.url, ending },
        execArgv: [],
      });
      worker.on("error", () => {});
      expect(await new Promise((resolve) => worker.on("exit", resolve))).toBe(code);
      expect(sink.spans().map(({ name }) => name)).toEqual([ending]);
      expect(sink.requests.map(({ headers }) => headers["authorization"])).toEqual(["Bearer made"]);
    },
    60_000,
  );
});

describe("beside an OpenTelemetry set-up of the application's own", () => {
  const memory = new InMemorySpanExporter();
  let provider: TracerProvider;

  beforeEach(() => {
    memory.reset();
    provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory }), spanProcessor()] });
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });

  afterEach(() => {
    trace.disable();
    context.disable();
  });

  it("shares the active context and nothing else: no record of ours reaches the other exporter", async () => {
    start({ serviceName: "ours" });
    await trace.getTracer("app").startActiveSpan("request", async (span) => {
      await generate(CALL, () => trace.getTracer("app").startSpan("http").end());
      span.end();
    });
    await tracing!.flush();
    const [http, request] = memory.getFinishedSpans();
    const ours = sink.spans().find(({ scope }) => scope === "@genspan/sdk")!;
    expect(memory.getFinishedSpans().map(({ name }) => name)).toEqual(["http", "request"]);
    expect(ours.parentSpanId).toBe(request!.spanContext().spanId);
    expect(http!.parentSpanContext?.spanId).toBe(ours.spanId);
  });

  it("the exported span processor sends the application's spans too", async () => {
    start();
    trace.getTracer("app").startSpan("request", { kind: SpanKind.SERVER }).end();
    await tracing!.flush();
    expect(sink.spans().map(({ name, scope }) => [name, scope])).toEqual([["request", "app"]]);
  });

  it("stays in place after our shutdown", async () => {
    start();
    await tracing!.shutdown();
    expect(trace.getTracer("app").startSpan("later").isRecording()).toBe(true);
  });

  it("leaves instrumentations to it, and says so", () => {
    start({ instrumentations: [[]] });
    expect(problems.map(({ kind }) => kind)).toEqual(["configuration"]);
  });
});

describe("without anything to record to", () => {
  it("OTEL_SDK_DISABLED: everything works and nothing is sent", async () => {
    vi.stubEnv("OTEL_SDK_DISABLED", "true");
    start();
    const generation = startGeneration(CALL);
    generation.addAttempt({ success: true });
    generation.succeed({ text: "a" });
    linkGeneration(generation.id, { type: "row", id: 1 });
    expect(await generation.recorded).toBe("off");
    expect(await tracing!.flush()).toEqual({ complete: true, remaining: 0 });
    expect([await generate(CALL, () => "answer"), sink.requests.length]).toEqual(["answer", 0]);
  });

  it("before startTracing() ids are made all the same", async () => {
    const generation = startGeneration(CALL);
    generation.succeed();
    expect(generation.id).toMatch(/^[0-9a-f]{32}-[0-9a-f]{16}$/);
    expect(await generation.recorded).toBe("off");
  });

  it("an address that is none is told and never thrown", async () => {
    start({ endpoint: "not a url" });
    expect(problems).toEqual([
      { kind: "configuration", message: expect.stringMatching(/^nothing is recorded: endpoint has to be/), count: 1 },
    ]);
    expect(await generate(CALL, () => "answer")).toBe("answer");
  });
});

describe("one part of the set-up that makes no sense costs nothing but itself", () => {
  const wrong = (options: object): TracingOptions => options as TracingOptions;

  it("a destination: the others get everything, and one warning says which", async () => {
    const other = await startSink();
    start(wrong({ forward: [{ endpoint: "collector:4318" }, null, { endpoint: other.url, protocol: "grpc" }, {}] }));
    startGeneration(CALL).succeed();
    await tracing!.flush();
    expect([sink.spans().length, other.spans().length]).toEqual([1, 1]);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toMatch(
      /forward\.0\.endpoint has to be an address.*; nothing is sent there; forward\.1\.endpoint .*forward\.2\.protocol/,
    );
    expect(problems[0]!.message).not.toContain("collector:4318");
    await tracing!.shutdown();
    await other.close();
  });

  it("the main address: the other destinations get everything, and announcements are acknowledged by the first of them", async () => {
    start({ endpoint: "ftp://collector", forward: [{ endpoint: sink.url }], pending: "await" });
    const generation = startGeneration(CALL);
    expect(await generation.recorded).toBe("accepted");
    generation.succeed();
    await tracing!.flush();
    expect(sink.spans()).toHaveLength(2);
    expect(problems.map(({ kind }) => kind)).toEqual(["configuration"]);
  });

  it.each([
    ["forward", { forward: "http://collector" }],
    ["limits", { limits: 5 }],
    ["limits.queueBytes", { limits: { queueBytes: "many" } }],
    ["headers", { headers: "authorization: none" }],
    ["a header", { headers: { "x-key": "a\nb" } }],
    ["a header", { headers: { "x y": 1 } }],
    ["serviceName", { serviceName: 7 }],
    ["resourceAttributes", { resourceAttributes: null, serviceVersion: {} }],
    ["resourceAttributes.team", { resourceAttributes: { team: ["a"] } }],
    ["pending", { pending: "sometimes" }],
    ["protocol", { protocol: "grpc" }],
    ["compression", { compression: "zstd" }],
    ["timeoutMillis", { timeoutMillis: "soon" }],
    ["instrumentations", { instrumentations: "all" }],
    ["spanProcessors", { spanProcessors: [1] }],
    ["exitHooks", { exitHooks: "no" }],
    ["apiKey", { apiKey: 42 }],
    ["content", { content: "everything" }],
    ["redact", { redact: "/secret/" }],
  ])("%s", async (name, options) => {
    start(wrong(options));
    startGeneration(CALL).succeed();
    await tracing!.flush();
    expect(sink.spans().map((span) => span.name)).toEqual(["chat gpt-5"]);
    expect(problems.map(({ kind }) => kind)).toEqual(["configuration"]);
    expect(problems[0]!.message).toContain(name === "resourceAttributes" ? "serviceVersion" : name);
  });

  it.each([[{ content: "everything" }], [{ content: { prompts: "no" } }], [{ redact: "/secret/" }]])(
    "what was meant to keep content back keeps all of it back: %j",
    async (options) => {
      start(wrong(options));
      startGeneration(CALL).succeed({ text: "because" });
      await tracing!.flush();
      expect(Object.keys(sink.spans()[0]!.attributes).filter((each) => each.endsWith(".messages"))).toEqual([]);
    },
  );

  it("options that throw when they are read", async () => {
    const throwing = { get: () => assert.fail("unreadable") };
    const properties = { serviceName: throwing, forward: throwing, onProblem: throwing };
    tracing = startTracing(Object.defineProperties({ endpoint: sink.url, exitHooks: false }, properties));
    startGeneration(CALL).succeed();
    await tracing.flush();
    expect(sink.spans()).toHaveLength(1);
    expect(tracing.stats().lastError).toMatch(/forward could not be read.*serviceName could not be read.*onProblem could not be read/);
  });

  it.each([[null], [7], ["options"], [[]]])("options that are none: %j", (options) => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url);
    tracing = startTracing(options as unknown as TracingOptions);
    expect(tracing.stats()).toMatchObject({ queued: 0 });
  });

  it("an instrumentation that cannot be started", async () => {
    const broken = { instrumentationName: "broken", setTracerProvider: () => assert.fail("no tracer wanted") };
    start(wrong({ instrumentations: [broken] }));
    trace.getTracer("app").startSpan("request").end();
    await tracing!.flush();
    expect(sink.spans().map(({ name }) => name)).toEqual(["request"]);
    expect(problems.map(({ kind }) => kind)).toEqual(["configuration"]);
  });

  it("onProblem: problems go to OpenTelemetry's diagnostic logger", () => {
    const warned: string[] = [];
    const logger = { error() {}, warn: (message: string) => warned.push(message), info() {}, debug() {}, verbose() {} };
    diag.setLogger(logger, { suppressOverrideMessage: true });
    tracing = startTracing(wrong({ endpoint: sink.url, exitHooks: false, onProblem: "console", pending: "sometimes" }));
    diag.disable();
    expect(warned).toEqual([expect.stringMatching(/^genspan: pending has to be .*onProblem has to be a function; problems go/)]);
  });

  it("a variable: the protocol of another port is not spoken", async () => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    start();
    startGeneration(CALL).succeed();
    await tracing!.flush();
    expect(sink.spans()).toHaveLength(1);
    expect(problems[0]!.message).toContain("OTEL_EXPORTER_OTLP_PROTOCOL is taken as http/json");
  });
});

describe("the collector", () => {
  it("that refuses everything costs the application nothing but the records", async () => {
    sink.answer(() => ({ status: 400 }));
    start();
    expect(await generate(CALL, () => "answer")).toBe("answer");
    await tracing!.flush();
    expect(tracing!.stats()).toMatchObject({ exported: 0, dropped: 1, queued: 0, lastError: expect.stringContaining("400") });
    expect(problems.map(({ kind }) => kind)).toEqual(["rejected"]);
  });

  it("SDK-01 that is away does not hold up a flush beyond its time-out", async () => {
    start({ endpoint: "http://127.0.0.1:9" });
    startGeneration(CALL).succeed();
    const started = performance.now();
    expect((await tracing!.flush({ timeoutMillis: 200 })).complete).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(tracing!.stats().queued).toBe(1);
  });

  it("that never answers does not hold up a shutdown beyond its time-out", async () => {
    const release: (() => void)[] = [];
    const hung = createServer((_, response) => release.push(() => response.end("{}")));
    await new Promise<void>((resolve) => hung.listen(0, "127.0.0.1", resolve));
    start({ endpoint: `http://127.0.0.1:${(hung.address() as AddressInfo).port}` });
    startGeneration(CALL).succeed();
    const started = performance.now();
    expect(await tracing!.shutdown({ timeoutMillis: 200 })).toEqual({ complete: false, remaining: 1 });
    expect(performance.now() - started).toBeLessThan(5_000);
    for (const each of release) each();
    hung.closeAllConnections();
    hung.close();
  });

  it("a second destination gets everything too, whatever the first one does", async () => {
    const other = await startSink();
    sink.answer(() => ({ status: 400 }));
    start({ forward: [{ endpoint: other.url, headers: { "x-key": "k" } }] });
    startGeneration(CALL).succeed();
    await tracing!.flush();
    expect(other.spans().map(({ name }) => name)).toEqual(["chat gpt-5"]);
    expect(other.requests[0]!.headers["x-key"]).toBe("k");
    await tracing!.shutdown();
    await other.close();
  });

  it("is never told of by the tracing itself: requests of the exporter make no spans", async () => {
    start();
    startGeneration(CALL).succeed();
    await tracing!.flush();
    await tracing!.flush();
    expect(sink.requests).toHaveLength(1);
  });
});

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { recorder } from "../../../../sdk/core/current.ts";
import { RunReporter, type RunReporterOptions } from "../../../../sdk/runs/run-reporter.ts";
import { type CapturedRecords, captureRecords } from "../../../support/captured-records.ts";

let captured: CapturedRecords;
let server: Server | undefined;
beforeEach(() => {
  captured = captureRecords();
});
afterEach(() => {
  captured[Symbol.dispose]();
  vi.unstubAllEnvs();
  vi.useRealTimers();
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const summaryOf = (span: ReadableSpan | undefined): Record<string, unknown> => JSON.parse(String(span?.attributes["genspan.run.summary"]));
const millis = ([seconds, nanos]: ReadableSpan["startTime"]): number => seconds * 1000 + nanos / 1e6;
const only = (record: string): ReadableSpan => {
  expect(captured.of(record)).toHaveLength(1);
  return captured.of(record)[0]!;
};

describe("a run that is counted live", () => {
  it("tells of its start, and of its end with everything counted", async () => {
    const reporter = new RunReporter({ triggeredBy: "scheduler", environment: "staging" });
    const run = reporter.start({
      requested: 2,
      kind: "questions",
      promptVersion: "2.1",
      arbiterConfigVersion: "1.0",
      minArbiterScore: 0.7,
      metadata: { shard: 3 },
    });
    await vi.waitFor(() => expect(captured.of("pending")).toHaveLength(1));
    run.generated({ provider: "openai", type: "logic", difficulty: "easy" });
    run.evaluated({ approved: true, score: 0.9, provider: "openai" });
    run.inserted();
    expect(await run.finish({ exitCode: 1 })).toEqual({ status: "sent", runId: run.id });

    const common = {
      "genspan.run.id": run.id,
      "genspan.run.kind": "questions",
      "genspan.run.requested": 2,
      "genspan.run.triggered_by": "scheduler",
      "gen_ai.prompt.version": "2.1",
    };
    expect(only("pending").attributes).toMatchObject({ ...common, "genspan.run.status": "running", "genspan.run.metadata": '{"shard":3}' });
    expect(only("pending").parentSpanContext?.spanId).toBe(only("run").spanContext().spanId);
    expect(only("run").attributes).toMatchObject({ ...common, "genspan.run.status": "partial_failure", "genspan.run.exit_code": 1 });
    expect(only("run").status.code).toBe(0);
    expect(summaryOf(only("run"))).toMatchObject({
      environment: "staging",
      items_requested: 2,
      items_inserted: 1,
      overall_success_rate: 0.5,
      avg_arbiter_score: 0.9,
      prompt_version: "2.1",
      arbiter_config_version: "1.0",
      min_arbiter_score_threshold: 0.7,
      provider_metrics: { openai: { generated: 1, api_calls: 0, failures: 0, evaluated: 1, approved: 1, rejected: 0 } },
    });
    expect(run.id).toMatch(UUID);
  });

  it("gives its id to every record made within it", async () => {
    const run = new RunReporter().start({ requested: 1 });
    const result = await run.within(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      recorder().record({ name: "within" });
      return "result";
    });
    recorder().record({ name: "outside" });
    await run.finish();
    expect(result).toBe("result");
    const [within, outside] = ["within", "outside"].map((each) => captured.spans.find(({ name }) => name === each));
    expect(within?.attributes["genspan.run.id"]).toBe(run.id);
    expect(within?.parentSpanContext?.spanId).toBe(only("run").spanContext().spanId);
    expect(outside?.attributes).toEqual({});
  });

  it("whose items are all stored has succeeded, and one without any has failed", async () => {
    const reporter = new RunReporter();
    const good = reporter.start({ requested: 1 });
    good.inserted();
    await good.finish();
    await reporter.start({ requested: 1 }).finish();
    await reporter.start({ requested: 1 }).finish({ status: "success" });
    await reporter.start({ requested: 1 }).finish({ exitCode: 5 });
    expect(captured.of("run").map(({ attributes, status }) => [attributes["genspan.run.status"], status.code, status.message])).toEqual([
      ["success", 0, undefined],
      ["failed", 2, "the run failed"],
      ["success", 0, undefined],
      ["failed", 2, "the run ended with exit code 5"],
    ]);
  });

  it("ends once, and counts nothing after its end", async () => {
    const run = new RunReporter().start({ requested: 1 });
    const [first, second] = [run.finish({ exitCode: 0 }), run.finish({ exitCode: 2 })];
    run.inserted();
    run.checkpoint();
    expect(await first).toEqual(await second);
    expect(only("run").attributes["genspan.run.exit_code"]).toBe(0);
    expect(run.summary().items_inserted).toBe(0);
    expect(captured.of("update")).toEqual([]);
  });

  it.each([
    [1, "partial_failure"],
    [0, "failed"],
  ])("whose scope is left without a finish was broken off: with %i stored it is %s", async (stored, status) => {
    {
      await using run = new RunReporter().start({ requested: 1 });
      for (let i = 0; i < stored; i++) run.inserted();
    }
    expect(only("run").attributes["genspan.run.status"]).toBe(status);
  });

  it("takes the environment of the telemetry where it is told none, and a number of items that makes no sense for none", async () => {
    captured[Symbol.dispose]();
    captured = captureRecords({ environment: "staging" });
    await new RunReporter().start({ requested: Number.NaN }).finish();
    expect(summaryOf(only("run"))).toMatchObject({ environment: "staging", items_requested: 0 });
  });

  it("without a reported start tells only of its end", async () => {
    const run = new RunReporter().start({ requested: 1, reportStart: false });
    await new Promise((resolve) => setTimeout(resolve, 10));
    await run.finish();
    expect(captured.spans).toHaveLength(1);
  });
});

describe("how far a run is", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  });

  it("is told at once when asked for, then once a second at most, with the newest figures", () => {
    const run = new RunReporter().start({ requested: 5, checkpointMillis: 0 });
    run.inserted();
    run.checkpoint();
    run.inserted();
    run.checkpoint();
    run.checkpoint();
    run.inserted();
    expect(captured.of("update")).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    vi.advanceTimersByTime(60_000);
    const updates = captured.of("update");
    expect(updates.map((update) => summaryOf(update)["items_inserted"])).toEqual([1, 3]);
    expect(updates[0]?.attributes).toMatchObject({ "genspan.run.id": run.id, "genspan.run.status": "running" });
  });

  it("is told by itself while it counts, and not while nothing happens", () => {
    const run = new RunReporter().start({ requested: 5, checkpointMillis: 5_000 });
    for (let i = 0; i < 10; i++) {
      run.apiCall("openai");
      vi.advanceTimersByTime(1_000);
    }
    vi.advanceTimersByTime(60_000);
    expect(captured.of("update").map((update) => summaryOf(update)["total_api_calls"])).toEqual([5, 10]);
  });

  it("is not told after the end", async () => {
    const run = new RunReporter().start({ requested: 5 });
    run.inserted();
    await run.finish();
    vi.advanceTimersByTime(60_000);
    expect(captured.of("update")).toEqual([]);
  });
});

describe("a run that is reported as one summary", () => {
  const SUMMARY = {
    started_at: "2026-11-20T03:00:00.000Z",
    completed_at: "2026-11-20T03:10:30.000Z",
    questions_requested: 50,
    questions_generated: 48,
    questions_evaluated: 48,
    questions_approved: 42,
    questions_inserted: 40,
    total_api_calls: 110,
  };

  it("may use the names of questions, and says when it was", async () => {
    const outcome = await new RunReporter({ triggeredBy: "manual" }).reportRun(SUMMARY, 0, { kind: "questions", promptVersion: "2.1" });
    const run = only("run");
    expect(outcome).toEqual({ status: "sent", runId: run.attributes["genspan.run.id"] });
    expect(run.attributes).toMatchObject({
      "genspan.run.status": "success",
      "genspan.run.exit_code": 0,
      "genspan.run.triggered_by": "manual",
    });
    expect([run.startTime, run.endTime].map((time) => new Date(millis(time)).toISOString())).toEqual([
      SUMMARY.started_at,
      SUMMARY.completed_at,
    ]);
    expect(summaryOf(run)).toEqual({
      items_requested: 50,
      items_generated: 48,
      items_evaluated: 48,
      items_approved: 42,
      items_rejected: 6,
      items_inserted: 40,
      total_api_calls: 110,
      generation_success_rate: 0.96,
      approval_rate: 0.875,
      overall_success_rate: 0.8,
      prompt_version: "2.1",
    });
    expect(captured.of("pending")).toEqual([]);
  });

  it("keeps the id that it is given, so that telling it twice tells of one run", async () => {
    const id = "9b2f6a4e-0000-4000-8000-000000000001";
    expect(await new RunReporter().reportRun({ id, items_requested: 1 }, 0)).toEqual({ status: "sent", runId: id });
    expect(only("run").attributes["genspan.run.id"]).toBe(id);
  });

  it.each([
    ["its end and duration", { completed_at: "2026-11-20T03:00:10.000Z", duration_seconds: 10 }],
    ["its start and duration", { started_at: "2026-11-20T03:00:00.000Z", duration_seconds: 10 }],
  ])("may say %s", async (_, times) => {
    await new RunReporter().reportRun(times, 0);
    expect(new Date(millis(only("run").startTime)).toISOString()).toBe("2026-11-20T03:00:00.000Z");
    expect(millis(only("run").duration)).toBe(10_000);
  });

  it("ends now where it says nothing of its times", async () => {
    const before = Date.now();
    await new RunReporter().reportRun({ duration_seconds: 2 }, 0);
    expect(millis(only("run").duration)).toBe(2_000);
    expect(millis(only("run").endTime)).toBeGreaterThanOrEqual(before);
  });

  it("SDK-05 never rejects, whatever it is given", async () => {
    const circular: Record<string, unknown> = { items_requested: 1n, provider_metrics: {} };
    (circular["provider_metrics"] as Record<string, unknown>)["self"] = circular;
    const getter = {
      get items_requested(): never {
        throw new Error("mine");
      },
    };
    for (const nonsense of [undefined, null, 5, "text", [], circular, getter]) {
      const outcome = await new RunReporter({ onFailure: () => {} }).reportRun(nonsense as never, Number.NaN, null as never);
      expect(["sent", "failed"]).toContain(outcome.status);
    }
  });
});

describe("where reports go", () => {
  it.each([
    ["nowhere when switched off", { enabled: false }, "http", "off"],
    ["by the option", { via: "http" }, "otlp", "http"],
    ["by the environment", {}, " HTTP ", "http"],
    ["nowhere by the environment", {}, "off", "off"],
    ["with the telemetry by default", {}, "", "otlp"],
    ["with the telemetry where the environment makes no sense", {}, "fax", "otlp"],
    ["nowhere when switched off by a word", { enabled: " False" }, "http", "off"],
    ["by a way in capitals", { via: "HTTP" }, "otlp", "http"],
    ["by the environment where the option makes no sense", { via: "htttp" }, "http", "http"],
    ["with the telemetry where the flag makes no sense", { enabled: 0 }, "", "otlp"],
  ] as const)("%s", (_, options, variable, reporting) => {
    vi.stubEnv("GENSPAN_RUN_REPORTING", variable);
    expect(new RunReporter(options as RunReporterOptions).reporting).toBe(reporting);
  });

  it("an option that makes no sense is told", () => {
    new RunReporter({ via: "htttp" } as unknown as RunReporterOptions);
    expect(captured.problems).toEqual(["via of a RunReporter has to be otlp or http; it counts as not given"]);
    new RunReporter({ via: "http", enabled: true });
    expect(captured.problems).toHaveLength(1);
  });

  it("a reporter that is switched off counts, runs what is within, and tells nobody", async () => {
    const reporter = new RunReporter({ enabled: false });
    const run = reporter.start({ requested: 3 });
    expect(run.within(() => 7)).toBe(7);
    run.inserted(2);
    run.checkpoint();
    expect(run.summary()).toMatchObject({ items_requested: 3, items_inserted: 2 });
    expect(await run.finish()).toEqual({ status: "off", runId: run.id });
    expect(await reporter.reportRun({}, 0)).toMatchObject({ status: "off" });
    expect(captured.spans).toEqual([]);
  });

  it("without tracing a run with the telemetry is off", async () => {
    captured[Symbol.dispose]();
    expect(await new RunReporter().start({ requested: 1 }).finish()).toMatchObject({ status: "off" });
  });

  it("to the API: start, progress and end leave under one id, with the service's key", async () => {
    const seen: { key: unknown; body: Record<string, unknown> }[] = [];
    server = createServer(async (request, response) => {
      seen.push({ key: request.headers["x-service-key"], body: JSON.parse(Buffer.concat(await request.toArray()).toString()) });
      response.writeHead(201).end("{}");
    });
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    vi.stubEnv("GENSPAN_API_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv("QS_API_KEY", "service key");
    const run = new RunReporter({ via: "http", triggeredBy: "webhook" }).start({ requested: 4, kind: "questions", promptVersion: "2.1" });
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    run.generated({ provider: "openai" });
    run.checkpoint();
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    run.within(() => recorder().record({ name: "within" }));
    expect(await run.finish({ exitCode: 2 })).toEqual({ status: "accepted", runId: run.id });
    expect(seen.map(({ key, body }) => [key, body["id"], body["status"], body["questions_generated"], body["exit_code"]])).toEqual([
      ["service key", run.id, "running", undefined, undefined],
      ["service key", run.id, "running", 1, undefined],
      ["service key", run.id, "failed", 1, 2],
    ]);
    expect(captured.spans.map(({ name, attributes }) => [name, attributes])).toEqual([["within", { "genspan.run.id": run.id }]]);
  });

  it("tells of a report that was given up, and lives on when the telling fails", async () => {
    const messages: string[] = [];
    const options = { via: "http", apiUrl: "http://127.0.0.1:1" } as const;
    const onFailure = (message: string): never => {
      messages.push(message);
      throw new Error("mine");
    };
    const outcome = await new RunReporter({ ...options, onFailure }).reportRun({ items_requested: 1 }, 0);
    expect(outcome).toMatchObject({ status: "failed", reason: expect.stringContaining("does not answer") });
    expect(messages).toEqual(["a run was not reported: the collector's API at http://127.0.0.1:1 does not answer"]);
  });

  it("logs what nobody else is told", async () => {
    const log = vi.spyOn(console, "warn").mockImplementation(() => {});
    await new RunReporter({ via: "http", apiUrl: "nowhere" }).reportRun({ items_requested: 1 }, 0);
    expect(log).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^genspan: a run was not reported: .*no URL/));
    log.mockRestore();
  });
});

describe("SDK-05 nonsense in place of what the types demand", () => {
  it.each([undefined, null, 5, "text", []])("%o never throws", async (nonsense) => {
    const run = new RunReporter().start(nonsense as never);
    for (const method of [
      run.generated,
      run.generationFailed,
      run.evaluated,
      run.duplicate,
      run.inserted,
      run.insertionFailed,
      run.apiCall,
      run.error,
    ]) {
      (method as (given: unknown) => void)(nonsense);
    }
    run.checkpoint();
    expect((await run.finish(nonsense as never)).runId).toMatch(UUID);
  });
});

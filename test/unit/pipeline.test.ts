import { describe, expect, it } from "vitest";
import { sharedBuffers } from "../../collector/base/buffer-pool.ts";
import { createMetrics } from "../../collector/base/metrics.ts";
import { accepted } from "../../collector/base/outcome.ts";
import type { Encoding, Signal } from "../../collector/base/signal.ts";
import { createWorkLimit } from "../../collector/base/work-limit.ts";
import { createPipeline, type PipelineOptions } from "../../collector/pipeline.ts";
import { createRedactor, steppedRedactor } from "../../collector/processors/redaction.ts";
import { type EncodedRequest, giveBack } from "../../collector/rows/encoded-request.ts";
import { RECEIVED_AT_MS, rowsOf } from "../support/encoding.ts";
import { any, keyValue, span, spanId, tracesRequest } from "../support/wire-builder.ts";

const KIB = 1024;

function pipelineOf(change: Partial<PipelineOptions> = {}) {
  const written: EncodedRequest[] = [];
  const pipeline = createPipeline({
    write: async (request) => {
      written.push(request);
      return { kind: "committed", stored: request.received, duplicates: 0, conflicting: 0, refused: [] };
    },
    admit: () => undefined,
    signals: new Set<Signal>(["traces"]),
    spanProcessors: [],
    logProcessors: [],
    metrics: createMetrics(),
    ...change,
  });
  const send = (body: Buffer, signal: Signal = "traces", encoding: Encoding = "protobuf") =>
    pipeline.consume({ signal, encoding, body, projectId: 1, receivedAtMs: RECEIVED_AT_MS });
  return { written, send };
}

/** A body in memory of the pool, as the receivers make it. */
function pooled(body: Buffer): Buffer {
  const memory = sharedBuffers.take(body.length);
  body.copy(memory);
  return memory.subarray(0, body.length);
}

const spansNamed = (name: string): Buffer =>
  tracesRequest(
    Array.from({ length: 200 }, (_, i) => span({ spanId: spanId(i), name, attributes: [keyValue("text", any.string(name.repeat(20)))] })),
  );

const namesIn = (request: EncodedRequest): Set<unknown> => new Set(rowsOf(request, "spans").map((row) => row["name"]));

const memoryOf = ({ raw, fresh }: EncodedRequest): ArrayBufferLike[] => [raw.buffer, ...fresh.map((set) => set.bytes.buffer.buffer)];

/** How often others had their turn while something was done. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ turns: number; outcome: T }> {
  let turns = 0;
  let done = false;
  const others = (): void => {
    turns++;
    if (!done) setImmediate(others);
  };
  setImmediate(others);
  const outcome = await work();
  done = true;
  return { turns, outcome };
}

describe("the memory of requests", () => {
  it("belongs to a request until the exporter gives it back", async () => {
    const { written, send } = pipelineOf();
    const names = ["alpha", "bravo", "gamma", "delta"];
    for (const name of names) expect(await send(pooled(spansNamed(name)))).toEqual(accepted());
    expect(written.map(namesIn)).toEqual(names.map((name) => new Set([name])));
    expect(new Set(written.flatMap(memoryOf)).size).toBe(names.length * 2);
  });

  it("is used again afterwards, and what is written then is sound", async () => {
    const { written, send } = pipelineOf();
    await send(pooled(spansNamed("alpha")));
    giveBack(written[0]!);
    await send(pooled(spansNamed("bravo")));
    expect(memoryOf(written[1]!)).toContain(written[0]!.raw.buffer);
    expect(memoryOf(written[1]!)).toContain(written[0]!.fresh[0]!.bytes.buffer.buffer);
    expect(namesIn(written[1]!)).toEqual(new Set(["bravo"]));
  });
});

describe("a limit to the work at once", () => {
  it("leaves what is beyond it as it came until something is committed, and says to come again when that takes too long", async () => {
    const commits: (() => void)[] = [];
    const written: EncodedRequest[] = [];
    const { send } = pipelineOf({
      work: createWorkLimit({ maxBytes: spansNamed("alpha").length, maxWaitMillis: 150 }),
      write: (request) => {
        written.push(request);
        return new Promise((resolve) => {
          commits.push(() => resolve({ kind: "committed", stored: request.received, duplicates: 0, conflicting: 0, refused: [] }));
        });
      },
    });
    const [first, second] = [send(spansNamed("alpha")), send(spansNamed("bravo"))];
    await expect.poll(() => written.length).toBe(1);
    commits[0]?.();
    expect(await first).toEqual(accepted());
    await expect.poll(() => written.length).toBe(2);
    expect(await send(spansNamed("gamma"))).toMatchObject({ kind: "retryable", reason: "overload" });
    commits[1]?.();
    expect(await second).toEqual(accepted());
    expect(written.map(namesIn)).toEqual([new Set(["alpha"]), new Set(["bravo"])]);
  });
});

describe("a large JSON body", () => {
  const point = '{"attributes":[{"key":"a","value":{"stringValue":"b"}}],"timeUnixNano":"1"}';
  const metricsOf = (points: number): Buffer => {
    const dataPoints = Array.from({ length: points }, () => point).join(",");
    return Buffer.from(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[${dataPoints}]}}]}]}]}`);
  };

  const sendMetrics = (body: Buffer) => pipelineOf().send(body, "metrics", "json");

  it("is read in steps between which others are served", async () => {
    const points = Math.ceil((10 * KIB * KIB) / point.length);
    const { turns, outcome } = await turnsDuring(() => sendMetrics(metricsOf(points)));
    expect(turns).toBeGreaterThanOrEqual(4);
    expect(outcome).toMatchObject({ kind: "partial", rejected: points });
  });

  it("is read at once when it is small", async () => {
    const { turns, outcome } = await turnsDuring(() => sendMetrics(metricsOf(100)));
    expect(turns).toBe(0);
    expect(outcome).toMatchObject({ kind: "partial", rejected: 100 });
  });

  it("is refused where it breaks off, however far that is", async () => {
    const body = metricsOf(60_000);
    const { outcome } = await turnsDuring(() => sendMetrics(body.subarray(0, body.length - 10)));
    expect(outcome).toMatchObject({ kind: "rejected", reason: "undecodable" });
  });
});

describe("a body that is made to be slow to look through", () => {
  const redact = createRedactor({ secrets: true, pii: ["email", "ip"], patterns: [] });
  const secret = `AKIA${"IOSFODNN7EXAMPLE"}`;
  const slow = (escapes: number): Buffer =>
    tracesRequest([span({ attributes: [keyValue("text", any.string(`${"\\u005cu002d".repeat(escapes)} ${secret}`))] })]);

  it("is looked through in steps between which others are served, to its end", async () => {
    const metrics = createMetrics();
    const { written, send } = pipelineOf({ redact, metrics });
    const { turns, outcome } = await turnsDuring(() => send(slow(400_000)));
    expect(outcome).toEqual(accepted());
    expect(turns).toBeGreaterThanOrEqual(4);
    expect(written[0]?.raw.includes(secret)).toBe(false);
    expect((await metrics.sanitized.get()).values).toMatchObject([{ labels: { reason: "redacted_aws" } }]);
  });

  it("is refused, and nothing of it stored, where looking fails after a while", async () => {
    const failing = steppedRedactor(function* (bytes, signal) {
      yield* redact.inSteps(bytes, signal);
      throw new Error("it cannot be done");
    });
    const { written, send } = pipelineOf({ redact: failing });
    for (const size of [1, 20_000]) expect(await send(slow(size))).toMatchObject({ kind: "retryable", reason: "internal" });
    expect(written).toEqual([]);
  });
});

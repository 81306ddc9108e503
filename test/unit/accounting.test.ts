import { describe, expect, it } from "vitest";
import { createMetrics, type Metrics } from "../../collector/base/metrics.ts";
import type { Signal } from "../../collector/base/signal.ts";
import { countItems } from "../../collector/otlp/count-items.ts";
import { createPipeline, type PipelineOptions } from "../../collector/pipeline.ts";
import type { WriteResult } from "../../collector/rows/encoded-request.ts";
import { RECEIVED_AT_MS } from "../support/encoding.ts";
import { recordingsOf } from "../support/recordings.ts";
import { span, spanId, tracesRequest } from "../support/wire-builder.ts";

const SPANS = 8;
const body = (): Buffer => tracesRequest(Array.from({ length: SPANS }, (_, i) => span({ spanId: spanId(i) })));

type Write = PipelineOptions["write"];
const committed =
  (result: Partial<Extract<WriteResult, { kind: "committed" }>>): Write =>
  async () => ({
    kind: "committed",
    stored: SPANS,
    duplicates: 0,
    conflicting: 0,
    refused: [],
    ...result,
  });

async function consumed(write: Write, sent: Buffer = body()): Promise<Metrics> {
  const metrics = createMetrics();
  const pipeline = createPipeline({
    write,
    admit: () => undefined,
    signals: new Set<Signal>(["traces"]),
    spanProcessors: [],
    logProcessors: [],
    metrics,
  });
  await pipeline
    .consume({ signal: "traces", encoding: "protobuf", body: sent, projectId: 1, receivedAtMs: RECEIVED_AT_MS })
    .catch(() => undefined);
  return metrics;
}

type Counted = Pick<Metrics["items"], "get">;
const valuesOf = async (counter: Counted, label: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await counter.get()).values
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => [(labels as Record<string, string>)[label], value]),
  );

describe("received = stored + duplicate + rejected + spooled + refused", () => {
  it.each<[string, Write, Record<string, number>]>([
    ["everything is stored", committed({}), { stored: 8 }],
    ["some were there already", committed({ stored: 5, duplicates: 3 }), { stored: 5, duplicate: 3 }],
    [
      "the database refuses some for good",
      committed({ stored: 6, refused: [1, 4].map((item) => ({ item, reason: "value out of range" })) }),
      { stored: 6, rejected: 2 },
    ],
    ["the database is away", async () => ({ kind: "failed", reason: "database", message: "send it again" }), { refused: 8 }],
    [
      "the writer breaks",
      async () => {
        throw new TypeError("a defect");
      },
      { refused: 8 },
    ],
  ])("OPS-01 holds when %s", async (_, write, outcomes) => {
    const metrics = await consumed(write);
    expect(await valuesOf(metrics.received, "signal")).toEqual({ traces: SPANS });
    expect(await valuesOf(metrics.items, "outcome")).toEqual(outcomes);
  });

  it.each<Signal>(["traces", "logs", "metrics"])(
    "OPS-01 H12 H13 holds for %s that no pipeline takes, and the answer tells their number",
    async (signal) => {
      const metrics = createMetrics();
      const pipeline = createPipeline({
        write: committed({}),
        admit: () => undefined,
        signals: new Set<Signal>(),
        spanProcessors: [],
        logProcessors: [],
        metrics,
      });
      const consume = (sent: Buffer, encoding: "protobuf" | "json") =>
        pipeline.consume({ signal, encoding, body: sent, projectId: 1, receivedAtMs: RECEIVED_AT_MS });
      const points = recordingsOf("nodesdk-defaults").find(({ path }) => path === "/v1/metrics")!.body;
      const items = "{},{},{}";
      const sent = {
        traces: Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${items}]}]}]}`),
        logs: Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[${items}]}]}]}`),
        metrics: points,
      }[signal];
      const outcome = await consume(sent, signal === "metrics" ? "protobuf" : "json");
      const { [signal]: received } = await valuesOf(metrics.received, "signal");
      expect(outcome).toMatchObject({ kind: "partial", rejected: received });
      expect(received).toBe(signal === "metrics" ? countItems(points, "metrics") : 3);
      expect(await valuesOf(metrics.items, "outcome")).toEqual({ rejected: received });
      expect(await valuesOf(metrics.rejectedItems, "reason")).toEqual({ no_pipeline: received });
      expect(await consume(Buffer.from("{}"), "json")).toEqual({ kind: "accepted" });
    },
  );
});

describe("what is refused for good", () => {
  it("is counted by who refused it: the reader of the request, or the database", async () => {
    const broken = tracesRequest([span({ spanId: spanId(1) }), span({ spanId: Buffer.alloc(3) })]);
    const metrics = await consumed(
      async (request) => ({
        kind: "committed",
        stored: 0,
        duplicates: 0,
        conflicting: 0,
        refused: [...request.refusedItems, { item: 0, reason: "value out of range" }],
      }),
      broken,
    );
    expect(await valuesOf(metrics.items, "outcome")).toEqual({ rejected: 2 });
    expect(await valuesOf(metrics.rejectedItems, "reason")).toEqual({ malformed: 1, database: 1 });
  });
});

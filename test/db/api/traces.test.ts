import { afterAll, beforeAll, expect, it } from "vitest";
import type { Provenance } from "../../../collector/api/provenance.ts";
import type { TraceSummary } from "../../../collector/query/traces/list.ts";
import type { TraceTree } from "../../../collector/query/traces/tree.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ORPHANS = "0af7651916cd43dd8448eb211c80319d";
const HOUR_NANOS = 3_600_000_000_000n;
const T0 = BigInt(Date.now()) * 1_000_000n - HOUR_NANOS;

const attribute = (key: string, value: string | number) => ({
  key,
  value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
});
interface Span {
  readonly traceId?: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly from: bigint;
  readonly nanos: bigint;
  readonly attributes?: object[];
  readonly error?: boolean;
}

const otlp = (service: string, spans: readonly Span[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [attribute("service.name", service), attribute("deployment.environment.name", "staging")] },
          scopeSpans: [
            {
              scope: { name: "test" },
              spans: spans.map(({ traceId = TRACE, from, nanos, error, kind = 1, ...span }) => ({
                traceId,
                kind,
                ...span,
                startTimeUnixNano: String(T0 + from),
                endTimeUnixNano: String(T0 + from + nanos),
                ...(error === true ? { status: { code: 2, message: "it broke" } } : {}),
              })),
            },
          ],
        },
      ],
    }),
  );

const messages = JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Wie heißt „Satz“?\r\n" }] }]);
const CALL: Span = {
  spanId: "00000000000000a3",
  parentSpanId: "00000000000000a2",
  name: "chat gpt-5",
  kind: 3,
  from: 300n,
  nanos: 2_000_001n,
  attributes: [
    attribute("gen_ai.operation.name", "chat"),
    attribute("gen_ai.provider.name", "openai"),
    attribute("gen_ai.request.model", "gpt-5"),
    attribute("gen_ai.usage.input_tokens", 12),
    attribute("gen_ai.usage.output_tokens", 30),
    attribute("gen_ai.input.messages", messages),
  ],
};

describeEachServer("traces", (server) => {
  let rig: ApiRig;
  const send = async (body: Buffer): Promise<void> => {
    expect((await rig.services.ingest(1, "traces", body)).kind).toBe("accepted");
  };
  beforeAll(async () => {
    rig = await createApiRig(server);
    await send(
      otlp("web", [
        { spanId: "00000000000000a1", name: "GET /quiz", kind: 2, from: 0n, nanos: 5_000_000n },
        {
          spanId: "00000000000000a2",
          parentSpanId: "00000000000000a1",
          name: "generate",
          from: 100n,
          nanos: 3_000_000n,
          attributes: [attribute("step", "x")],
        },
        CALL,
        { spanId: "00000000000000a4", parentSpanId: "00000000000000a1", name: "save", from: 6_000_000n, nanos: 1_000_003n, error: true },
      ]),
    );
    await send(
      otlp("db", [
        { spanId: "00000000000000a5", parentSpanId: "00000000000000a4", name: "INSERT", kind: 3, from: 6_000_100n, nanos: 500n },
      ]),
    );
    await send(
      otlp("worker", [
        {
          traceId: ORPHANS,
          spanId: "00000000000000b1",
          parentSpanId: "00000000000000ff",
          name: "consume",
          kind: 5,
          from: 1_000n,
          nanos: 900n,
        },
        { traceId: ORPHANS, spanId: "00000000000000b2", parentSpanId: "00000000000000b1", name: "work", from: 1_100n, nanos: 300n },
      ]),
    );
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("are listed once each, with the numbers of all their spans, also where the first span is another service's", async () => {
    const { status, body } = await rig.get<{ data: readonly TraceSummary[] }>("/api/traces");
    expect(status).toBe(200);
    expect(body.data).toMatchObject([
      { trace_id: ORPHANS, name: "consume", service_name: "worker", spans: 2, errors: 0, generations: 0, tokens_total: null },
      {
        trace_id: TRACE,
        name: "GET /quiz",
        service_name: "web",
        duration_ms: 5,
        spans: 5,
        errors: 1,
        services: ["db", "web"],
        generations: 1,
        tokens_total: 42,
      },
    ]);
  });

  it.each([
    ["?service=web", [TRACE]],
    ["?-service=web", [ORPHANS]],
    ["?min_ms=1", [TRACE]],
    ["?max_ms=1", [ORPHANS]],
    ["?env=staging&status=unset", [ORPHANS, TRACE]],
    ["?env=production", []],
    ["?env=(none)", []],
    ["?attr.service.name=worker", [ORPHANS]],
    ["?sort=-duration", [TRACE, ORPHANS]],
  ])("are found by %s", async (query, ids) => {
    const { body } = await rig.get<{ data: readonly TraceSummary[] }>(`/api/traces${query}`);
    expect(body.data.map(({ trace_id }) => trace_id)).toEqual(ids);
  });

  it("are a tree: parents before children, exact nanoseconds, the whole duration", async () => {
    const { body } = await rig.get<TraceTree>(`/api/traces/${TRACE}`);
    expect(body.spans.map(({ name, depth, orphan }) => [name, depth, orphan])).toEqual([
      ["GET /quiz", 0, false],
      ["generate", 1, false],
      ["chat gpt-5", 2, false],
      ["save", 1, false],
      ["INSERT", 2, false],
    ]);
    // The last span ends after the first one.
    expect(body.duration_ns).toBe(7_000_003);
    expect(body.spans[2]).toMatchObject({
      start_unix_nano: String(T0 + 300n),
      duration_ns: 2_000_001,
      generation: { model: "gpt-5", tokens: 42 },
    });
    expect(body.spans[3]).toMatchObject({ status: "error", status_message: "it broke", generation: null });
    expect(body).toMatchObject({ errors: 1, generations: 1, tokens_total: 42, truncated: false });
    expect((await rig.get<TraceTree>(`/api/traces/${ORPHANS}`)).body.spans.map(({ orphan }) => orphan)).toEqual([true, false]);
  });

  it("are found by an id in upper case or as a UUID, and nothing else", async () => {
    const dashed = TRACE.toUpperCase().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    expect((await rig.get<TraceTree>(`/api/traces/${dashed}`)).body.trace_id).toBe(TRACE);
    expect((await rig.get(`/api/traces/${"0".repeat(32)}`)).status).toBe(404);
    expect((await rig.get("/api/traces/abc")).status).toBe(400);
  });

  it("come out as OTLP with everything that came in, and read as the same trace again", async () => {
    const response = await rig.app.request(`http://localhost/api/traces/${TRACE}?format=otlp`);
    const text = await response.text();
    const spans = (
      JSON.parse(text) as {
        resourceSpans: { scopeSpans: { spans: { spanId: string; startTimeUnixNano: string; attributes?: unknown[] }[] }[] }[];
      }
    ).resourceSpans
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap((scope) => scope.spans);
    expect(spans.map(({ spanId }) => spanId).toSorted()).toEqual(["a1", "a2", "a3", "a4", "a5"].map((id) => id.padStart(16, "0")));
    expect(spans.find(({ spanId }) => spanId === CALL.spanId)).toMatchObject({
      startTimeUnixNano: String(T0 + 300n),
      attributes: expect.arrayContaining(CALL.attributes!),
    });
    expect(await rig.services.ingest(2, "traces", Buffer.from(text))).toMatchObject({ kind: "accepted" });
    const rows =
      await rig.owner`SELECT project_id, span_id, attributes, duration_ns FROM spans WHERE trace_id = ${TRACE} ORDER BY project_id, span_id`;
    const of = (project: number) => rows.filter((row) => row["project_id"] === project).map(({ project_id: _, ...row }) => row);
    expect(of(2)).toEqual(of(1));
  });

  it("tell of one span what is stored, and which generation it is", async () => {
    const { body } = await rig.get<Record<string, unknown>>(`/api/traces/${TRACE}/spans/${CALL.spanId}`);
    expect(body).toMatchObject({
      name: "chat gpt-5",
      generation_id: `${TRACE}-${CALL.spanId}`,
      resource: { "service.name": "web" },
      scope: { name: "test" },
    });
    expect((await rig.get(`/api/traces/${TRACE}/spans/00000000000000ff`)).status).toBe(404);
  });

  it("tell of a call which attribute each value came from, and show its span as it was received", async () => {
    const { body } = await rig.get<Provenance>(`/api/generations/${TRACE}-${CALL.spanId}/provenance`);
    expect(body).toMatchObject({ role: "call", dialect: "semconv" });
    expect(body.origins).toEqual(
      expect.arrayContaining([
        { concept: "model", source: "gen_ai.request.model", value: "gpt-5" },
        { concept: "inputTokens", source: "gen_ai.usage.input_tokens", value: expect.anything() },
      ]),
    );
    const span = await rig.get<{ resourceSpans: unknown[] }>(`/api/generations/${TRACE}-${CALL.spanId}/span`);
    expect(JSON.stringify(span.body)).toContain(JSON.stringify(messages));
  });

  it("cost an amount in one currency, and none in several", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319e";
    const root: Span = { traceId: trace, spanId: "00000000000000c0", name: "both", kind: 2, from: 2_000n, nanos: 10n };
    const charged = (spanId: string, amount: string, currency: string): Span => ({
      ...CALL,
      traceId: trace,
      spanId,
      parentSpanId: root.spanId,
      attributes: [
        ...(CALL.attributes ?? []),
        { key: "genspan.cost.amount", value: { doubleValue: Number(amount) } } as never,
        attribute("genspan.cost.currency", currency),
      ],
    });
    const told = async () => [
      (await rig.get<TraceTree>(`/api/traces/${trace}`)).body,
      ...(await rig.get<{ data: readonly TraceSummary[] }>("/api/traces?name=both")).body.data,
    ];
    await send(otlp("web", [root, charged("00000000000000c1", "1.25", "USD")]));
    expect(await told()).toMatchObject([1, 2].map(() => ({ cost_amount: 1.25, cost_currency: "USD" })));
    await send(otlp("web", [charged("00000000000000c2", "2.5", "EUR")]));
    expect(await told()).toMatchObject([1, 2].map(() => ({ cost_amount: null, cost_currency: "mixed" })));
    const tree = (await rig.get<TraceTree>(`/api/traces/${trace}`)).body;
    expect(tree.spans.map(({ generation }) => generation?.currency)).toEqual([undefined, "USD", "EUR"]);
  });

  it("come in pages by durations of any length, which bounds of any size select", async () => {
    const lasting = (n: number): Span => ({
      traceId: String(n).repeat(32),
      spanId: String(n).repeat(16),
      name: "for ever",
      kind: 2,
      from: -T0 + BigInt(n),
      nanos: T0 + BigInt(n),
    });
    await send(otlp("clock", [7, 8, 9].map(lasting)));
    const seen: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const { status, body }: { status: number; body: { data: readonly TraceSummary[]; next: string | null } } = await rig.get(
        `/api/traces?name=for ever&sort=-duration&limit=1&after=${after}`,
      );
      expect(status).toBe(200);
      seen.push(...body.data.map(({ trace_id }) => trace_id[0] ?? ""));
      after = body.next;
    }
    expect(seen).toEqual(["9", "8", "7"]);
    const selected = async (bound: string): Promise<number> =>
      (await rig.get<{ data: readonly unknown[] }>(`/api/traces?name=for ever&${bound}`)).body.data.length;
    expect([await selected("max_ms=999999999999999"), await selected("min_ms=999999999999999")]).toEqual([3, 0]);
  });

  it("are compared step by step", async () => {
    const { body } = await rig.get<{ data: { name: string; a_spans: number; b_spans: number }[] }>(
      `/api/traces/compare?a=${TRACE}&b=${ORPHANS}`,
    );
    expect(body.data[0]).toMatchObject({ name: "GET /quiz", a_spans: 1, b_spans: 0, a_ms: 5, b_ms: null });
    expect(body.data.find(({ name }) => name === "work")).toMatchObject({ a_spans: 0, b_spans: 1 });
    expect((await rig.get(`/api/traces/compare?a=${TRACE}&b=${"1".repeat(32)}`)).status).toBe(404);
  });
});

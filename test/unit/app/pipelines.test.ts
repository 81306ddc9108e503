import { describe, expect, it } from "vitest";
import { pipelineOf } from "../../../collector/app/pipelines.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { loadConfig } from "../../../collector/config/index.ts";
import { createPriceBook } from "../../../collector/model/price.ts";
import type { Refiner } from "../../../collector/refinement/index.ts";
import type { EncodedRequest } from "../../../collector/rows/encoded-request.ts";
import type { Row } from "../../support/copy-reader.ts";
import { RECEIVED_AT_MS, rowsOf } from "../../support/encoding.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { any, keyValue, span, tracesRequest } from "../../support/wire-builder.ts";

// Put together here, so that no scanner takes this file for a leak.
const SECRET = `AKIA${"IOSFODNN7EXAMPLE"}`;
const MAIL = "anna@example.com";

interface Parts {
  readonly processors?: string;
  readonly order?: readonly string[];
  readonly exporters?: readonly string[];
}

/** The pipeline of a configuration, on an exporter that keeps what it is given. */
function build({ processors = "{}", order = [], exporters = ["postgres"] }: Parts) {
  const text = `receivers: {otlp: {protocols: {http: }}, otlp/unused: {protocols: {http: }}}
processors: ${processors}
exporters: {postgres: , debug: {verbosity: detailed}}
service: {pipelines: {traces: {receivers: [otlp], processors: [${order.join(", ")}], exporters: [${exporters.join(", ")}]}}}`;
  const { config } = loadConfig({ files: [{ name: "t", text }], env: {} });
  const written: EncodedRequest[] = [];
  const { log, lines } = recordingLog();
  const book = createPriceBook();
  const write = (request: EncodedRequest) => {
    written.push(request);
    return Promise.resolve({ kind: "committed" as const, stored: request.received, duplicates: 0, conflicting: 0, refused: [] });
  };
  const stop = () => Promise.resolve({ unwritten: 0 });
  const input = {
    config,
    exporter: { write, release: () => [], ready: () => true, check: () => Promise.resolve(), stop },
    refiner: { note: () => {} } as unknown as Refiner,
    prices: { of: () => book, refresh: () => Promise.resolve(), stop: () => Promise.resolve() },
    metrics: createMetrics(),
    log,
    isStopping: () => false,
    started: new AsyncDisposableStack(),
  };
  return { pipeline: pipelineOf("otlp", input), unused: pipelineOf("otlp/unused", input), written, lines };
}

const CALL: Readonly<Record<string, Buffer>> = {
  "gen_ai.operation.name": any.string("chat"),
  "gen_ai.request.model": any.string("m"),
  "gen_ai.input.messages": any.string(JSON.stringify([{ role: "user", parts: [{ type: "text", content: `${SECRET} ${MAIL}` }] }])),
};

async function rowsAfter(parts: Parts, attributes: Readonly<Record<string, Buffer>> = CALL) {
  const { pipeline, written, lines } = build(parts);
  const body = tracesRequest([span({ attributes: Object.entries(attributes).map(([key, value]) => keyValue(key, value)) })]);
  const outcome = await pipeline!.consume({ signal: "traces", encoding: "protobuf", body, projectId: 1, receivedAtMs: RECEIVED_AT_MS });
  const tables = (name: string): Row | undefined => (written[0] === undefined ? undefined : rowsOf(written[0], name)[0]);
  return { outcome, span: tables("spans"), call: tables("generation_logs"), raw: written[0]?.raw, lines };
}

describe("what a configuration does to a span", () => {
  it("RED-01 credentials go without being asked for, mail addresses stay", async () => {
    const { call, raw } = await rowsAfter({});
    expect([String(call?.["prompt_full_text"]).includes(MAIL), raw?.includes(SECRET)]).toEqual([true, false]);
  });

  it("RED-01 data about people go when they are asked for", async () => {
    const { raw } = await rowsAfter({ processors: "{redaction: {pii: [email]}}", order: ["redaction"] });
    expect([raw?.includes(MAIL), raw?.includes(SECRET)]).toEqual([false, false]);
  });

  it("secrets: false keeps them, in this pipeline's own words", async () => {
    const { raw } = await rowsAfter({ processors: "{redaction: {secrets: false}}", order: ["redaction"] });
    expect(raw?.includes(SECRET)).toBe(true);
  });

  it("a redaction that is defined and not used changes nothing", async () => {
    const { raw } = await rowsAfter({ processors: "{redaction: {secrets: false}}" });
    expect(raw?.includes(SECRET)).toBe(false);
  });

  it("two redactions work one after the other", async () => {
    const processors = "{redaction/a: {pii: [email]}, redaction/b: {secrets: false, patterns: [{name: model, regex: '^m$'}]}}";
    const { raw, call } = await rowsAfter({ processors, order: ["redaction/a", "redaction/b"] });
    expect([raw?.includes(MAIL), raw?.includes(SECRET), call?.["model_name"]]).toEqual([false, false, "*"]);
  });

  it("capture_content: false keeps the call without its content", async () => {
    const { call, raw } = await rowsAfter({ processors: "{redaction: {capture_content: false}}", order: ["redaction"] });
    expect(call).toMatchObject({ model_name: "m", prompt_full_text: null, content_state: "redacted" });
    expect(raw?.includes(MAIL)).toBe(false);
  });

  it("a house dialect is understood, and actions see what rules before them made", async () => {
    const processors = `{genai_mapping: {rules: [{attribute: house.llm, concept: model}]},
      attributes: {actions: [{key: gen_ai.request.model, action: upsert, value: changed}, {key: house.llm, action: delete}]}}`;
    const house = { "gen_ai.operation.name": any.string("chat"), "house.llm": any.string("acme") };
    expect((await rowsAfter({ processors, order: ["genai_mapping"] }, house)).call).toMatchObject({ model_name: "acme" });
    expect((await rowsAfter({ processors, order: ["genai_mapping", "attributes"] }, house)).call).toMatchObject({ model_name: "changed" });
    expect((await rowsAfter({ processors, order: ["attributes", "genai_mapping"] }, house)).span?.["attributes"]).not.toHaveProperty(
      "house.llm",
    );
  });
});

describe("exporters", () => {
  it("debug shows what the database gets: redacted, and after all actions", async () => {
    const processors = "{attributes: {actions: [{key: zone, action: insert, value: eu}]}}";
    const { lines, outcome } = await rowsAfter({ processors, order: ["attributes"], exporters: ["debug", "postgres"] });
    expect(outcome.kind).toBe("accepted");
    const shown = JSON.stringify(lines);
    expect([shown.includes("zone"), shown.includes(MAIL), shown.includes(SECRET)]).toEqual([true, true, false]);
  });

  it("debug alone accepts and writes nothing", async () => {
    const { outcome, span: stored, lines } = await rowsAfter({ exporters: ["debug"] });
    expect([outcome.kind, stored, lines.length > 0]).toEqual(["accepted", undefined, true]);
  });

  it("a receiver that no pipeline uses has none", () => {
    expect(build({}).unused).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { provenanceOf } from "../../../collector/api/provenance.ts";
import { explainSpan, type SpanExplanation } from "../../../collector/dialects/explain.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { createSpanWalker } from "../../../collector/otlp/decode-protobuf.ts";
import { createSpanView } from "../../../collector/otlp/span-view.ts";
import { type MovedContent, otlpSpan, type StoredSpan } from "../../../collector/query/export/otlp-span.ts";
import { MOVED } from "../../../collector/rows/content-moved.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { tracesOf } from "../../support/otlp-json.ts";
import { recording } from "../../support/recordings.ts";
import { RECORDED } from "./recorded/index.ts";

type Row = Record<string, unknown>;

/** Every span of a body, as it came. */
function explainedAsReceived(body: Buffer): Map<string, SpanExplanation> {
  const view = createSpanView();
  const walker = createSpanWalker(view);
  const found = new Map<string, SpanExplanation>();
  walker.open(body);
  while (walker.next() === "item") {
    const id = view.arena.request.toString("hex", view.spanIdOffset, view.spanIdOffset + view.spanIdSize);
    found.set(id, explainSpan(view));
  }
  return found;
}

const JSONB = new Set(["attributes", "events", "links", "ingest_notes"]);
const TIMES = new Set(["start_time", "end_time"]);

/** A row as PostgreSQL gives its columns as text: jsonb as JSON, times in UTC to the microsecond. */
function stored(row: Row): StoredSpan {
  const text = (name: string, value: unknown): string => {
    if (JSONB.has(name)) return JSON.stringify(value);
    if (!TIMES.has(name)) return String(value);
    const micros = BigInt(value as bigint);
    const second = new Date(Number(micros / 1_000_000n) * 1000).toISOString().slice(0, 19);
    return `${second}.${String(micros % 1_000_000n).padStart(6, "0")}Z`;
  };
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : text(name, value)]));
}

/** What the API answers for each stored span of a body: read again from its columns, with the content that its generation row holds. */
function explainedAsStored(body: Buffer): Map<string, ReturnType<typeof provenanceOf>> {
  const { spans, generations, request } = rowsFromTraces(body);
  const scopes = new Map(request.shared.filter(({ table }) => table === "scopes").map((scope) => [scope.id, scope.name]));
  return new Map(
    spans.map((span) => {
      const held = generations.find((row) => row["span_id"] === span["span_id"] && row["generation_status"] !== "pending");
      const content = Object.fromEntries(MOVED.map(({ column }) => [column, held?.[column] ?? null])) as MovedContent;
      const scope = { name: scopes.get(String(span["scope_id"])) };
      const line = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope, spans: [otlpSpan(stored(span), content)] }] }] });
      return [String(span["span_id"]), provenanceOf(line)];
    }),
  );
}

const byConcept = (origins: SpanExplanation["origins"]) =>
  origins
    .filter(({ concept }) => concept !== undefined)
    .toSorted((a, b) => (`${a.concept} ${a.source}` < `${b.concept} ${b.source}` ? -1 : 1));

describe("the provenance of a stored span", () => {
  const bodies = RECORDED.flatMap(({ client, bodies: named }) =>
    Object.entries(named).flatMap(([name, each]) => (each.signal === "traces" ? [[client, name] as const] : [])),
  );

  // A picture that was taken out of its message stands there as a name, so such messages differ.
  const withPictures = /image|multimodal/;

  it.each(bodies.filter(([, name]) => !withPictures.test(name)))("%s %s is what the received one says", (client, name) => {
    const { body } = recording(client, name);
    const asStored = explainedAsStored(body);
    const asReceived = explainedAsReceived(body);
    expect(asStored.size).toBe(asReceived.size);
    for (const [id, received] of asReceived) {
      const again = asStored.get(id);
      expect([again?.role, again?.dialect]).toEqual([received.role, received.dialect ?? null]);
      expect(byConcept(again?.origins ?? [])).toEqual(byConcept(received.origins));
    }
  });

  it.each(bodies.filter(([, name]) => withPictures.test(name)))("%s %s names the same sources", (client, name) => {
    const { body } = recording(client, name);
    const sources = (origins: SpanExplanation["origins"]) => byConcept(origins).map(({ concept, source }) => [concept, source]);
    const asStored = explainedAsStored(body);
    for (const [id, received] of explainedAsReceived(body))
      expect(sources(asStored.get(id)?.origins ?? [])).toEqual(sources(received.origins));
  });
});

describe("an explanation", () => {
  const explained = (attributes: Row, events: readonly { name: string; attributes: Row }[] = []) => {
    const body = tracesOf({ id: "s0", attributes, events } as Parameters<typeof tracesOf>[0]);
    const [only] = explainedAsReceived(transcodeJson(Buffer.from(JSON.stringify(body)), "traces")).values();
    return (concept: string) => only?.origins.filter((origin) => origin.concept === concept).map(({ source, value }) => [source, value]);
  };
  const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" };

  it("names the one source of two that was chosen", () => {
    const of = explained({ ...CHAT, "gen_ai.usage.input_tokens": 39, "llm.token_count.prompt": 40, "openinference.span.kind": "LLM" });
    expect(of("inputTokens")).toEqual([["gen_ai.usage.input_tokens", 39]]);
  });

  it("names the sources of an error, of reasoning and of metadata", () => {
    const exception = { name: "exception", attributes: { "exception.message": "it broke", "exception.stacktrace": "at x" } };
    const failed = explained(CHAT, [exception]);
    expect([failed("errorMessage"), failed("errorTraceback")]).toEqual([[["span events", "it broke"]], [["span events", "at x"]]]);
    const thinking = explained({
      ...CHAT,
      "gen_ai.content.reasoning": "Hm.",
      "ai.operationId": "ai.x.doGenerate",
      "ai.telemetry.functionId": "f",
    });
    expect(thinking("reasoning")).toEqual([["gen_ai.content.reasoning", "Hm."]]);
    expect(thinking("metadata")).toEqual([["function_id", "f"]]);
  });
});

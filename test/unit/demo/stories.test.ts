import { describe, expect, it } from "vitest";
import { history } from "../../../collector/demo/history.ts";
import { countGenerations, exportRequest } from "../../../collector/demo/otlp.ts";
import { HOSTILE_STRINGS } from "../../../collector/demo/texts.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import type { Row } from "../../support/copy-reader.ts";
import { RECEIVED_AT_MS, rowsFromTraces } from "../../support/encoding.ts";

const DAY_MS = 86_400_000;
const END = BigInt(RECEIVED_AT_MS) * 1_000_000n;
const WANTED_ROWS = 4_000;

const traces = [...history({ rows: WANTED_ROWS, seed: 7, end: END })];
const bodyOf = (seed: number, end = END): string => exportRequest([...history({ rows: 400, seed, end })]);

const stored = traces.map((trace) => rowsFromTraces(transcodeJson(Buffer.from(exportRequest([trace])), "traces")));
const spans = stored.flatMap((each) => each.spans);
const calls = stored.flatMap((each) => each.generations);

const where = (values: Record<string, unknown>): Row[] =>
  calls.filter((row) => Object.entries(values).every(([key, value]) => row[key] === value));
const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const daysAgo = (row: Row): number => (RECEIVED_AT_MS - Number(row["start_time"]) / 1000) / DAY_MS;

describe("the history", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(bodyOf(7)).toBe(bodyOf(7));
    expect(bodyOf(8)).not.toBe(bodyOf(7));
  });

  it("moves in time with its end and changes in nothing else", () => {
    const times = /"(start|end)TimeUnixNano":"\d+"/g;
    const later = bodyOf(7, END + 3_600_000_000_000n);
    expect(later).not.toBe(bodyOf(7));
    expect(later.replace(times, "")).toBe(bodyOf(7).replace(times, ""));
  });

  it("is stored span for span: nothing is refused, no id is used twice", () => {
    expect(stored.flatMap((each) => each.request.refusedItems)).toEqual([]);
    expect(spans).toHaveLength(traces.reduce((sum, trace) => sum + trace.spans.length, 0));
    expect(calls).toHaveLength(traces.reduce((sum, trace) => sum + countGenerations(trace), 0));
    expect(new Set(spans.map((row) => `${row["trace_id"]}-${row["span_id"]}`)).size).toBe(spans.length);
  });

  it("has about as many model calls as asked for, over two weeks and never in the future", () => {
    expect(Math.abs(calls.length - WANTED_ROWS)).toBeLessThan(WANTED_ROWS * 0.1);
    const ages = calls.map(daysAgo);
    expect(Math.max(...ages)).toBeGreaterThan(13);
    expect(Math.max(...ages)).toBeLessThanOrEqual(14);
    expect(Math.min(...ages)).toBeGreaterThan(0);
  });
});

describe("the stories in it", () => {
  it("four providers are called", () => {
    expect(new Set(calls.map((row) => row["provider_name"]))).toEqual(new Set(["openai", "anthropic", "gcp.gemini", "mistral_ai"]));
  });

  it("prompt 2.1 is approved more often than 2.0, and 2.2 is slower without being better", () => {
    const of = (version: string) =>
      where({ prompt_template_name: "quiz-sentence", prompt_template_version: version, generation_status: "success" });
    const approval = (version: string): number => {
      const judged = of(version).filter((row) => row["quality_status"] !== "pending_review");
      return judged.filter((row) => row["quality_status"] === "approved").length / judged.length;
    };
    const latency = (version: string): number => median(of(version).map((row) => row["duration_ms"] as number));
    expect(approval("2.1")).toBeGreaterThan(approval("2.0") + 0.1);
    expect(Math.abs(approval("2.2") - approval("2.1"))).toBeLessThan(0.07);
    expect(latency("2.2")).toBeGreaterThan(latency("2.1") * 1.4);
  });

  it("the newest quiz sentences wait for review", () => {
    const waiting = where({ quality_status: "pending_review" });
    expect(waiting.length).toBeGreaterThan(5);
    expect(Math.max(...waiting.map(daysAgo))).toBeLessThan(0.6);
  });

  it("one provider is out for a few hours, four days ago, and others take over", () => {
    const during = where({ provider_name: "gcp.gemini" }).filter((row) => daysAgo(row) <= 4.6 && daysAgo(row) > 4.35);
    const failed = during.filter((row) => row["error_type"] === "503");
    expect(failed.length).toBeGreaterThan(3);
    expect(failed.length / during.length).toBeGreaterThan(0.6);
    expect(where({ error_type: "503" }).filter((row) => daysAgo(row) > 4.7 || daysAgo(row) < 4.25)).toEqual([]);
    const takenOver = new Set(failed.map((row) => row["trace_id"]));
    expect(calls.filter((row) => takenOver.has(row["trace_id"]) && row["generation_status"] === "success").length).toBeGreaterThan(0);
  });

  it("failures, timeouts and cut answers happen on any day", () => {
    for (const status of ["failed", "timeout"]) expect(where({ generation_status: status }).length).toBeGreaterThan(3);
    expect(where({ response_finish_reason: "length" }).length).toBeGreaterThan(0);
  });

  it("one model has no price, all others have a cost for every answer", () => {
    const unpriced = calls.filter((row) => row["generation_status"] === "success" && row["cost_amount"] === null);
    expect(new Set(unpriced.map((row) => row["model_name"]))).toEqual(new Set(["ministral-legal-preview"]));
  });

  it("one prompt drifts: two texts under one version", () => {
    const definitions = where({ prompt_template_name: "legal-definition" });
    expect(new Set(definitions.map((row) => row["prompt_template_version"])).size).toBe(1);
    expect(new Set(definitions.map((row) => row["system_instructions"])).size).toBe(2);
  });

  it("images take up to three tries, and the tries before the last one failed", () => {
    const images = traces
      .filter((trace) => trace.service === "lesson-images")
      .map(({ spans: all }) => all.filter((span) => span.attributes["genspan.record"] === "attempt"));
    expect(new Set(images.map((tries) => tries.length))).toEqual(new Set([1, 2, 3]));
    for (const tries of images) expect(tries.slice(0, -1).every((span) => span.error !== undefined)).toBe(true);
  });

  it("a try that succeeds holds the call that drew a picture, and pictures are few and small", () => {
    const tried = traces.flatMap((trace) => trace.spans.filter((span) => span.attributes["genspan.attempt.outcome"] === "success"));
    const drawn = traces.flatMap((trace) => trace.spans.filter((span) => span.attributes["gen_ai.output.type"] === "image"));
    expect(drawn.map((span) => span.parentSpanId)).toEqual(tried.map((span) => span.spanId));
    const pictures = new Set(drawn.map((span) => /"content":"([^"]+)"/.exec(String(span.attributes["gen_ai.output.messages"]))?.[1] ?? ""));
    expect(pictures.size).toBeLessThanOrEqual(24);
    for (const picture of pictures) expect(Buffer.from(picture, "base64").length).toBeLessThan(1_000);
  });

  it("an image whose last model failed too is a failed one, and it happens", () => {
    const images = traces.filter((trace) => trace.service === "lesson-images").map((trace) => trace.spans[0]!);
    const states = images.map((span) => [span.attributes["genspan.image.status"], span.error !== undefined]);
    expect(new Set(states.map(String))).toEqual(new Set(["completed,false", "failed,true"]));
  });

  it("two batches wait for a call that was announced, one of them for hours", () => {
    const pending = where({ generation_status: "pending" });
    expect(pending.map((row) => Math.round(daysAgo(row) * 24))).toEqual([4, 0]);
    for (const { run_id, trace_id } of pending) {
      expect(run_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      const others = calls.filter((row) => row["trace_id"] === trace_id && row["generation_status"] === "success");
      expect(new Set(others.map((row) => row["run_id"]))).toEqual(new Set([run_id]));
    }
  });

  it("one trace has 2,000 spans in three levels, seven of them failed", () => {
    const big = stored.filter((each) => each.spans.length === 2_000);
    expect(big).toHaveLength(1);
    expect(big[0]!.spans.filter((row) => row["status_code"] === 2)).toHaveLength(7);
    const parents = new Map(big[0]!.spans.map((row) => [row["span_id"], row["parent_span_id"]]));
    const depth = (id: unknown): number => (parents.get(id) === null ? 1 : 1 + depth(parents.get(id)));
    expect(Math.max(...[...parents.keys()].map(depth))).toBe(3);
  });

  it("one message is larger than a mebibyte and stored whole", () => {
    const longest = calls.map((row) => String(row["prompt_full_text"])).toSorted((a, b) => b.length - a.length)[0]!;
    expect(longest.length).toBeGreaterThan(1024 * 1024);
    expect(JSON.parse(longest)[0].parts[0].content).toMatch(/^1\. Ten aanzien van/);
  });

  it("hostile strings come back as they were sent", () => {
    const answers = where({ entity_type: "hostile" }).map(
      (row) => JSON.parse(String(row["response_full_text"]))[0].parts[0].content as string,
    );
    expect(answers).toEqual(HOSTILE_STRINGS);
  });

  it("a batch runs every night: scores fall, the new prompt is approved more often, one night is bad", () => {
    const runs = traces.flatMap((trace) => trace.spans.filter((span) => span.attributes["genspan.record"] === "run"));
    const summaries = runs.map(
      (span) => JSON.parse(String(span.attributes["genspan.run.summary"])) as Record<string, number> & { prompt_version: string },
    );
    expect(runs).toHaveLength(12);
    const scores = summaries.map(({ avg_arbiter_score: score }) => score!);
    expect(scores.toSorted((a, b) => b - a)).toEqual(scores);
    const approval = (version: string): number => {
      const ofVersion = summaries.filter(({ prompt_version }) => prompt_version === version);
      return (
        ofVersion.reduce((sum, each) => sum + each["items_approved"]!, 0) /
        ofVersion.reduce((sum, each) => sum + each["items_evaluated"]!, 0)
      );
    };
    expect(approval("2.1")).toBeGreaterThan(approval("2.0") + 0.05);
    expect(runs.map((span) => span.attributes["genspan.run.status"]).filter((status) => status !== "success")).toEqual(["partial_failure"]);
    for (const each of summaries) expect(each["items_generated"]! - each["items_approved"]!).toBe(each["items_rejected"]);
  });

  it("every quiz is an item that its sentences name", () => {
    const items = traces.flatMap((trace) => trace.spans.filter((span) => span.attributes["genspan.record"] === "item"));
    const named = new Set(where({ prompt_template_name: "quiz-sentence" }).map((row) => row["item_id"]));
    expect(items.length).toBeGreaterThan(100);
    expect(named).toEqual(new Set(items.map((span) => span.attributes["genspan.item.id"])));
  });
});

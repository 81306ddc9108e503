import { describe, expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { type LogSpec, logsOf, spanIdOf, TRACE, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const evaluation = (name: string, value: number) => ({
  "gen_ai.evaluation.name": name,
  "gen_ai.evaluation.score.value": value,
  "gen_ai.evaluation.score.label": "pass",
  "gen_ai.evaluation.explanation": "on topic",
});

describeEachServer("evaluations", (server) => {
  const rig = usePipelineRig(server, "generation_scores", "spans", "log_records", "generation_logs", "generation_twins");
  const scores = () =>
    rig.sql`SELECT trace_id, span_id, name, value, label, explanation, source FROM generation_scores ORDER BY time, name`;
  const expected = (name: string, value: number) => ({
    trace_id: TRACE,
    span_id: spanIdOf("call"),
    name,
    value,
    label: "pass",
    explanation: "on topic",
    source: "evaluation",
  });

  it("of a log event become scores of the span it names, several of one span", async () => {
    const body = logsOf(
      { span: "call", name: "gen_ai.evaluation.result", at: 1, attributes: evaluation("relevance", 0.75) },
      { span: "call", name: "gen_ai.evaluation.result", at: 2, attributes: evaluation("toxicity", 0) },
    );
    expect((await rig.send(body, "logs")).kind).toBe("accepted");
    expect(await scores()).toEqual([expected("relevance", 0.75), expected("toxicity", 0)]);
  });

  it("sent again stay one score each", async () => {
    const body = logsOf({ span: "call", name: "gen_ai.evaluation.result", attributes: evaluation("relevance", 1) });
    for (let i = 0; i < 3; i++) expect((await rig.send(body, "logs")).kind).toBe("accepted");
    expect(await scores()).toHaveLength(1);
  });

  it("written as events of the span itself become scores, too", async () => {
    await rig.send(
      tracesOf({ id: "call", events: [{ name: "other" }, { name: "gen_ai.evaluation.result", attributes: evaluation("tone", 0.5) }] }),
    );
    expect(await scores()).toEqual([expected("tone", 0.5)]);
  });

  it("that OpenInference writes as attributes of the judged span become scores, sent again the same ones", async () => {
    const judged = (prefix: string, facts: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(Object.entries(facts).map(([name, value]) => [`${prefix}.${name}`, value]));
    const attributes = {
      "openinference.span.kind": "CHAIN",
      ...judged("evaluations.0.evaluation", {
        name: "helpful",
        score: "0.25",
        label: "pass",
        explanation: "on topic",
        annotator_kind: "LLM",
      }),
      ...judged("evaluations.1.evaluation", { name: "nothing said" }),
      ...judged("annotations.0.annotation", { name: "kind", score: 1, label: "pass", explanation: "on topic", annotator_kind: "HUMAN" }),
      ...judged("trace.evaluations.0.evaluation", { name: "of the whole trace", score: 1 }),
    };
    for (let i = 0; i < 2; i++) expect((await rig.send(tracesOf({ id: "call", attributes }))).kind).toBe("accepted");
    expect(await scores()).toEqual([expected("helpful", 0.25), expected("kind", 1)]);
    expect(await rig.sql`SELECT scored_by FROM generation_scores ORDER BY name`).toEqual([{ scored_by: "LLM" }, { scored_by: "HUMAN" }]);
  });

  it("under the same names on a span of another kind stay its attributes", async () => {
    await rig.send(tracesOf({ id: "call", attributes: { "evaluations.0.evaluation.name": "mine", "evaluations.0.evaluation.score": 1 } }));
    expect(await scores()).toEqual([]);
  });

  describe("that name the response they judge", () => {
    const RESPONSE = "chatcmpl-1";
    const ELSEWHERE = "f".repeat(32);
    const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" };
    const judged = { id: "call", attributes: { ...chat, "gen_ai.response.id": RESPONSE } };
    const named = (more: Partial<LogSpec> = {}, responseId = RESPONSE): LogSpec => ({
      name: "gen_ai.evaluation.result",
      at: 5_000,
      attributes: { ...evaluation("relevance", 0.75), "gen_ai.response.id": responseId },
      ...more,
    });
    const settle = async () => {
      await rig.refiner.settled();
      await rig.refiner.sweep();
      await rig.refiner.settled();
    };
    const send = async (body: object, signal: "traces" | "logs") => {
      expect((await rig.send(body, signal)).kind).toBe("accepted");
      await settle();
    };

    it.each<[string, LogSpec]>([
      ["and the span of their evaluator in another trace", named({ trace: ELSEWHERE, span: "judge" })],
      ["and the span of their evaluator in the same trace", named({ span: "judge" })],
      ["and no span at all", named()],
      ["and the judged span", named({ span: "call" })],
    ])("%s reach its call, whichever comes first, sent again, too", async (_, log) => {
      await send(logsOf(log), "logs");
      expect(await scores()).toHaveLength(1);
      await send(tracesOf(judged), "traces");
      expect(await scores()).toEqual([expected("relevance", 0.75)]);
      for (let i = 0; i < 2; i++) await send(logsOf(log), "logs");
      expect(await scores()).toEqual([expected("relevance", 0.75)]);
      await rig.sql`TRUNCATE generation_scores, log_records`;
      await send(logsOf(log), "logs");
      expect(await scores()).toEqual([expected("relevance", 0.75)]);
    });

    it("reach the call that is counted, where another telling of it gave the response", async () => {
      const outer = { id: "outer", tookMs: 120, attributes: { ...chat, "gen_ai.response.id": RESPONSE } };
      await send(logsOf(named({ trace: ELSEWHERE, span: "judge" })), "logs");
      await send(tracesOf(outer), "traces");
      expect(await scores()).toMatchObject([{ span_id: spanIdOf("outer") }]);
      await send(tracesOf({ id: "call", parent: "outer", at: 5, tookMs: 100, attributes: chat }), "traces");
      expect(await scores()).toEqual([expected("relevance", 0.75)]);
    });

    it("stay where they were told while nobody gave that response, or somebody did days before", async () => {
      const longAgo = { ...judged, at: -3 * 24 * 3_600_000 };
      await send(tracesOf(judged, longAgo), "traces");
      await send(logsOf(named({ trace: ELSEWHERE, span: "judge" }, "other")), "logs");
      expect(await scores()).toMatchObject([{ trace_id: ELSEWHERE, span_id: spanIdOf("judge") }]);
    });

    it("reach the latest call before them where a provider gives an id twice", async () => {
      const other = { ...judged, trace: "a".repeat(32), at: -600_000 };
      const later = { ...judged, trace: "b".repeat(32), at: 60_000 };
      for (const call of [later, judged, other]) await send(tracesOf(call), "traces");
      await send(logsOf(named()), "logs");
      expect(await scores()).toEqual([expected("relevance", 0.75)]);
    });

    it("with an empty id name none", async () => {
      await send(logsOf(named({}, "")), "logs");
      expect(await scores()).toEqual([]);
    });
  });

  describe("of a call that two instrumentations tell", () => {
    const attributes = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" };
    const outer = { id: "outer", tookMs: 120, attributes };
    const inner = { id: "call", parent: "outer", at: 5, tookMs: 100, attributes };
    const log = logsOf({ span: "outer", name: "gen_ai.evaluation.result", attributes: evaluation("tone", 1) });

    it("stand with the one that is counted, whatever came first", async () => {
      for (const order of [
        ["log", "outer", "inner"],
        ["outer", "inner", "log"],
        ["inner", "log", "outer"],
      ]) {
        for (const part of order) {
          await rig.send(part === "log" ? log : tracesOf(part === "outer" ? outer : inner), part === "log" ? "logs" : "traces");
          await rig.refiner.settled();
        }
        expect(await scores()).toEqual([expected("tone", 1)]);
        await rig.empty("generation_scores", "spans", "log_records", "generation_logs", "generation_twins");
      }
    });

    it("go back when it turns out that the calls are two", async () => {
      await rig.send(log, "logs");
      await rig.send(tracesOf(outer, inner), "traces");
      await rig.refiner.settled();
      expect(await scores()).toMatchObject([{ span_id: spanIdOf("call") }]);
      await rig.send(tracesOf({ ...inner, id: "second", at: 200, tookMs: 20 }), "traces");
      await rig.refiner.settled();
      expect(await scores()).toMatchObject([{ span_id: spanIdOf("outer") }]);
    });
  });

  describe("on a span of the evaluator's own, directly below the judged call", () => {
    const call = { id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" } };
    const event = { name: "gen_ai.evaluation.result", attributes: evaluation("tone", 1) };
    const judge = { id: "judge", parent: "call", at: 200, tookMs: 5, events: [event] };

    it("stand with the call, whichever comes first", async () => {
      for (const spans of [
        [call, judge],
        [judge, call],
      ]) {
        for (const span of spans) {
          await rig.send(tracesOf(span), "traces");
          await rig.refiner.settled();
        }
        expect(await scores()).toEqual([expected("tone", 1)]);
        await rig.empty("generation_scores", "spans", "generation_logs");
      }
    });

    it("stay with that span where it is a tool", async () => {
      await rig.send(tracesOf(call, { ...judge, attributes: { "gen_ai.operation.name": "execute_tool" } }), "traces");
      await rig.refiner.settled();
      expect(await scores()).toMatchObject([{ span_id: spanIdOf("judge") }]);
    });
  });
});

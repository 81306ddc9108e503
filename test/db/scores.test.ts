import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, spanIdOf, TRACE, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const evaluation = (name: string, value: number) => ({
  "gen_ai.evaluation.name": name,
  "gen_ai.evaluation.score.value": value,
  "gen_ai.evaluation.score.label": "pass",
  "gen_ai.evaluation.explanation": "on topic",
});

describeEachServer("evaluations", (server) => {
  const rig = usePipelineRig(server, "generation_scores", "spans", "log_records");
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
});

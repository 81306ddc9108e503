import { describe, expect, it } from "vitest";
import { problemTrace, type SentenceGenerationTrace } from "../../../../sdk/items/problem-trace.ts";

const sentence = (given: Partial<SentenceGenerationTrace>): SentenceGenerationTrace => ({
  index: 0,
  generation_id: null,
  model: null,
  response_model: null,
  response_id: null,
  prompt_name: null,
  prompt_version: null,
  prompt_text: null,
  content: null,
  reasoning_content: null,
  input_tokens: null,
  output_tokens: null,
  reasoning_tokens: null,
  total_tokens: null,
  duration_ms: null,
  finish_reason: null,
  status: "success",
  error_message: null,
  ...given,
});

describe("the trace of a problem", () => {
  it("adds up what its sentences cost, in their order", () => {
    const second = sentence({
      index: 1,
      model: "gpt-5-nano",
      input_tokens: 100,
      output_tokens: 50,
      reasoning_tokens: 300,
      total_tokens: 150,
    });
    const first = sentence({
      index: 0,
      model: "gpt-5-nano",
      input_tokens: 150,
      output_tokens: 75,
      reasoning_tokens: 500,
      total_tokens: 225,
    });
    const facts = { prompt_version: "2.0", quality_status: "pending_review", quality_issues: ["ambiguous"], metadata: { level: "A2" } };
    expect(problemTrace(facts, [second, first])).toEqual({
      model: "gpt-5-nano",
      prompt_version: "2.0",
      total_input_tokens: 250,
      total_output_tokens: 125,
      total_reasoning_tokens: 800,
      total_tokens: 375,
      quality_status: "pending_review",
      quality_issues: ["ambiguous"],
      metadata: { level: "A2" },
      sentences: [first, second],
    });
  });

  it("knows nothing of what no sentence knows, and sums what some know", () => {
    expect(problemTrace({}, [])).toMatchObject({
      model: null,
      total_tokens: null,
      quality_status: null,
      quality_issues: [],
      sentences: [],
    });
    const known = sentence({ input_tokens: 5, output_tokens: 2 });
    expect(problemTrace({}, [sentence({}), known])).toMatchObject({ total_input_tokens: 5, total_tokens: 7, total_reasoning_tokens: null });
  });

  it("names the model that made most sentences, and the first of them on a tie", () => {
    const of = (models: (string | null)[]) =>
      problemTrace(
        {},
        models.map((model, index) => sentence({ index, model })),
      ).model;
    expect(of(["a", "b", "b"])).toBe("b");
    expect(of(["a", null, "b"])).toBe("a");
  });

  it("takes the prompt version that all sentences share where the problem has none of its own", () => {
    const of = (versions: (string | null)[]) =>
      problemTrace(
        {},
        versions.map((prompt_version) => sentence({ prompt_version })),
      ).prompt_version;
    expect(of(["2.0", "2.0", null])).toBe("2.0");
    expect(of(["2.0", "2.1"])).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { readableText } from "../../../collector/quality/message-text.ts";
import { createJudge, type Judged } from "../../../collector/quality/rules.ts";

const judge = createJudge([]);
const call = (values: Partial<Judged>): Judged => ({
  output: "Der Hund bellt.",
  reasoning: "",
  finishReason: "stop",
  hasContent: true,
  ...values,
});
const issues = (values: Partial<Judged>): string[] => judge(call(values)).map(({ issue }) => issue);

describe("the built-in rules", () => {
  it("find nothing in an ordinary answer", () => {
    expect(issues({ reasoning: "The article must be der, because Hund is masculine." })).toEqual([]);
  });

  it.each([
    "I'm sorry, but I can't assist with that.",
    "I cannot help with this request.",
    "As an AI language model, I have no opinion.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Ich kann Ihnen dabei leider nicht helfen.",
    "Je ne peux pas répondre.",
    "Lo siento, no puedo.",
    "Het spijt me, dat gaat niet.",
  ])("see a refusal: %s", (output) => {
    expect(issues({ output })).toEqual(["refusal"]);
  });

  it("take words of a refusal further on for content", () => {
    expect(issues({ output: `${"Ein langer Dialog. ".repeat(20)} Sie sagt: I'm sorry, I can't come.` })).toEqual([]);
  });

  it.each(["content_filter", "refusal", "SAFETY"])("see a refusal in the finish reason %s", (finishReason) => {
    expect(issues({ finishReason, output: "" })).toContain("refusal");
    expect(issues({ finishReason, hasContent: false })).toEqual(["refusal"]);
  });

  it.each(["length", "max_tokens", "MAX_TOKENS", "stop,length"])("see an answer cut off in the finish reason %s", (finishReason) => {
    expect(issues({ finishReason })).toEqual(["cut_off"]);
  });

  it.each(['{"satz": "Der Hund', '[{"a": 1}, {"b": [', '{"a": "}"'])("see JSON that breaks off: %s", (output) => {
    expect(issues({ output })).toEqual(["cut_off"]);
  });

  it.each(['{"satz": "Der {Hund"}', '["\\"]"]', "[Anmerkung] Der Hund bellt."])(
    "take whole JSON, and text in brackets, for whole: %s",
    (output) => {
      expect(issues({ output })).toEqual([]);
    },
  );

  it("see an empty answer, unless the model called a tool or nothing is captured", () => {
    expect(issues({ output: "  \n" })).toEqual(["empty_output"]);
    expect(issues({ output: "", finishReason: "tool_calls" })).toEqual([]);
    expect(issues({ output: "", hasContent: false })).toEqual([]);
  });

  it.each(["I'm not sure which one is right.", "I am just guessing here.", "Both answers are correct.", "Ich bin mir nicht sicher."])(
    "see doubt in the reasoning: %s",
    (reasoning) => {
      expect(judge(call({ reasoning }))).toMatchObject([{ issue: "unsure_reasoning", target: "reasoning" }]);
      expect(issues({ output: reasoning })).toEqual([]);
    },
  );
});

describe("a user's rules", () => {
  it("look where they should, and quote what they saw", () => {
    const own = createJudge([{ name: "swear_word", target: "output", pattern: "(?i)verdammt" }]);
    expect(own(call({ output: "Das ist VERDAMMT gut." }))).toEqual([
      { issue: "swear_word", target: "output", excerpt: "Das ist VERDAMMT gut." },
    ]);
    expect(own(call({ reasoning: "verdammt" }))).toEqual([]);
  });

  it("take linear time on text that makes backtracking engines hang", () => {
    const own = createJudge([{ name: "slow", target: "output", pattern: "^(a+)+$" }]);
    expect(own(call({ output: `${"a".repeat(5_000)}b` }))).toEqual([]);
  });

  it("are refused where they are no pattern", () => {
    expect(() => createJudge([{ name: "bad", target: "output", pattern: "(" }])).toThrow();
  });
});

describe("the text of an answer", () => {
  it("is that of the text and refusal parts of its messages", () => {
    const messages = [
      {
        role: "assistant",
        parts: [
          { type: "reasoning", content: "hm" },
          { type: "text", content: "Eins" },
          { type: "refusal", content: "Nein" },
        ],
      },
      { role: "assistant", parts: [{ type: "tool_call", name: "x" }, null] },
      { role: "assistant" },
    ];
    expect(readableText(JSON.stringify(messages), "messages")).toBe("Eins\nNein");
  });

  it("is the text itself where it is none of these", () => {
    expect(readableText("plain", "text")).toBe("plain");
    expect(readableText("[broken", "messages")).toBe("[broken");
    expect(readableText('{"a":1}', "messages")).toBe('{"a":1}');
    expect(readableText(null, null)).toBe("");
  });
});

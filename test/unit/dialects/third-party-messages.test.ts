import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isObject } from "../../../collector/dialects/json.ts";
import { toMessageList } from "../../../collector/dialects/messages.ts";
import { message, text } from "../../support/openai-cases.ts";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { toldOf } from "../../support/told.ts";

/** Test data of other projects: not ours to copy, so it is read where it lies beside the repository, and these tests say when it does not. */
const FOLDER = new URL("../../../../shared/fixtures/dialects/", import.meta.url);
const NOT_THERE = "the third-party fixtures are not beside this repository";

type Attributes = NonNullable<SpanSpec["attributes"]>;

const fixture = (path: string): unknown => JSON.parse(readFileSync(new URL(path, FOLDER), "utf8"));

describe("spans of one call in OpenInference's tests", () => {
  const prompt = [
    message("user", text("Weather in Paris?")),
    message("assistant", text("Absolutely! Let me check the weather for you."), {
      type: "tool_call",
      id: "1234",
      name: "get_weather",
      arguments: { location: "Paris" },
    }),
    message("tool", { type: "tool_call_response", id: "1234", response: "rainy, 57°F" }),
  ];

  it.for([
    "openinference_client_span_tool_calls",
    "openinference_client_span_input_output_only",
    "otel_genai_client_span_tool_calls",
    "otel_genai_deprecated_client_span_tool_calls",
  ])("%s says the same in its dialect", (name, { skip }) => {
    const path = `openinference-genai/${name}.json`;
    if (!existsSync(new URL(path, FOLDER))) skip(NOT_THERE);
    const rows = toldOf({ attributes: fixture(path) as Attributes });
    expect(rows).toMatchObject([
      {
        operation_name: "chat",
        provider_name: "openai",
        model_name: "gpt-4",
        response_model: "gpt-4-0613",
        model_temperature: 0.5,
        model_top_p: 0.9,
        model_max_tokens: 200,
        tokens_prompt: 97,
        tokens_completion: 52,
        prompt_full_text: prompt,
        response_full_text: [message("assistant", text("The weather in Paris is currently rainy with a temperature of 57°F."))],
      },
    ]);
  });

  it("a tool's execution is counted nowhere", ({ skip }) => {
    const path = "openinference-genai/otel_genai_tool_execution_span.json";
    if (!existsSync(new URL(path, FOLDER))) skip(NOT_THERE);
    expect(toldOf({ attributes: fixture(path) as Attributes })).toEqual([]);
  });
});

describe("Anthropic's messages in OpenLLMetry's tests", () => {
  it("come to the messages that it expects", ({ skip }) => {
    const path = "openllmetry-js/instrumentation-anthropic__mapper-fixtures.json";
    if (!existsSync(new URL(path, FOLDER))) skip(NOT_THERE);
    const cases = fixture(path) as Record<"inputMessages" | "outputMessages" | "expectedOutputs", Record<string, unknown>>;
    const read = Object.entries(cases.expectedOutputs).filter(([name]) => name.startsWith("inputMessages."));
    expect(read.length).toBeGreaterThan(5);
    for (const [name, expected] of read) {
      const given = cases.inputMessages[name.slice("inputMessages.".length)];
      // It knows the type of a document behind an address, which no message says.
      expect(withoutMimeOfUris(toMessageList(given, "user")), name).toEqual(withoutMimeOfUris(expected));
    }
    console.log(`openllmetry-js: ${Object.keys(cases.inputMessages).length - 1} inputs, ${read.length} with an expected output`);
  });

  it("lose no block, whatever its type", ({ skip }) => {
    const path = "openllmetry-js/instrumentation-anthropic__mapper-fixtures.json";
    if (!existsSync(new URL(path, FOLDER))) skip(NOT_THERE);
    const { outputMessages } = fixture(path) as { outputMessages: Record<string, unknown> };
    for (const [name, content] of Object.entries(outputMessages).filter(([, value]) => Array.isArray(value))) {
      const [read] = toMessageList([{ role: "assistant", content }], "assistant");
      expect(read?.parts, name).toHaveLength((content as unknown[]).length);
    }
  });
});

function withoutMimeOfUris(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMimeOfUris);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !(name === "mime_type" && value["type"] === "uri"));
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutMimeOfUris(inner)]));
}

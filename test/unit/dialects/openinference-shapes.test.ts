import { describe, expect, it } from "vitest";
import { message, text } from "../../support/openai-cases.ts";
import type { SpanSpec } from "../../support/otlp-json.ts";
import { generationsOf, toldOf } from "../../support/told.ts";

type Row = Record<string, unknown>;
type Attributes = NonNullable<SpanSpec["attributes"]>;

const REDACTED = "__REDACTED__";
const json = (value: unknown): string => JSON.stringify(value);

function call(attributes: Attributes): Row {
  const rows = toldOf({ attributes: { "openinference.span.kind": "LLM", "llm.model_name": "m", ...attributes } });
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

describe("an OpenInference span", () => {
  it.each(["CHAIN", "AGENT", "TOOL", "RETRIEVER", "RERANKER", "GUARDRAIL", "EVALUATOR", "PROMPT", "UNKNOWN"])(
    "of kind %s is counted nowhere, whatever usage it repeats",
    (kind) => {
      const usage = { "llm.model_name": "m", "llm.token_count.prompt": 9, "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" };
      expect(toldOf({ attributes: { "openinference.span.kind": kind, ...usage } })).toEqual([]);
    },
  );

  it.each(["llm", "Llm"])("of kind %s in other letters is a call", (kind) => {
    expect(toldOf({ attributes: { "openinference.span.kind": kind, "llm.model_name": "m" } })).toHaveLength(1);
  });

  it("names its provider as the conventions do", () => {
    const given = ["azure", "google", "aws", "mistralai", "xai", "OpenAI", "fakeco"];
    const names = given.map((name) => call({ "llm.provider": name, "llm.system": "openai" })["provider_name"]);
    expect(names).toEqual(["azure.ai.openai", "gcp.gen_ai", "aws.bedrock", "mistral_ai", "x_ai", "openai", "fakeco"]);
  });

  it("knows the answering model only where it differs from the one asked for", () => {
    const asked = { "llm.invocation_parameters": json({ model: "gpt-4o" }) };
    expect(call({ ...asked, "llm.model_name": "gpt-4o-2024-08-06" })).toMatchObject({
      model_name: "gpt-4o",
      response_model: "gpt-4o-2024-08-06",
    });
    expect(call({ ...asked, "llm.model_name": "gpt-4o" })).not.toHaveProperty("response_model");
    expect(call({ "llm.model_name": "gpt-4o" })).toMatchObject({ model_name: "gpt-4o" });
  });

  it("gives settings as one text or as one attribute each", () => {
    const expected = { model_temperature: 0, model_max_tokens: 9, model_stop_sequences: ["x"], model_parameters: { logprobs: true } };
    expect(call({ "llm.invocation_parameters": json({ temperature: 0, max_tokens: 9, stop: "x", logprobs: true }) })).toMatchObject(
      expected,
    );
    expect(
      call({
        "llm.invocation_parameters.temperature": 0,
        "llm.invocation_parameters.max_tokens": 9,
        "llm.invocation_parameters.stop": "x",
        "llm.invocation_parameters.logprobs": true,
      }),
    ).toMatchObject(expected);
  });
});

describe("counts", () => {
  const counts = (prompt: number, completion: number, details: Attributes): Row =>
    call({ "llm.token_count.prompt": prompt, "llm.token_count.completion": completion, ...details });

  it.each([
    [13_675, 20, { "llm.token_count.prompt_details.cache_read": 9_216 }, 13_675, 20],
    [40, 1_970, { "llm.token_count.completion_details.reasoning": 956 }, 40, 1_970],
    [5, 7, { "llm.token_count.prompt_details.cache_read": 128_955, "llm.token_count.prompt_details.cache_write": 1_253 }, 130_213, 7],
    [13, 32, { "llm.token_count.completion_details.reasoning": 64, "llm.token_count.total": 109 }, 13, 96],
  ])("%i and %i with %o come to %i and %i", (prompt, completion, details, expectedPrompt, expectedCompletion) => {
    expect(counts(prompt, completion, details)).toMatchObject({
      tokens_prompt: expectedPrompt,
      tokens_completion: expectedCompletion,
      tokens_total: expectedPrompt + expectedCompletion,
    });
  });

  it("of two dialects on one span are read once", () => {
    const twice = { "gen_ai.usage.input_tokens": 39, "gen_ai.usage.prompt_tokens": 39, "gen_ai.usage.output_tokens": 5 };
    expect(counts(39, 5, { "gen_ai.system": "openai", ...twice })).toMatchObject({
      tokens_prompt: 39,
      tokens_completion: 5,
      tokens_total: 44,
    });
  });
});

describe("content", () => {
  it("of one user, with text, image and audio", () => {
    const part = "llm.input_messages.0.message.contents";
    expect(
      call({
        "llm.input_messages.0.message.role": "user",
        [`${part}.0.message_content.type`]: "text",
        [`${part}.0.message_content.text`]: "What is this?",
        [`${part}.1.message_content.type`]: "image",
        [`${part}.1.message_content.image.image.url`]: "https://example.org/fox.png",
        [`${part}.2.message_content.type`]: "audio",
        [`${part}.2.message_content.audio.audio.url`]: "https://example.org/fox.wav",
      })["prompt_full_text"],
    ).toEqual([
      message(
        "user",
        text("What is this?"),
        { type: "uri", modality: "image", uri: "https://example.org/fox.png" },
        { type: "uri", modality: "audio", uri: "https://example.org/fox.wav" },
      ),
    ]);
  });

  it("stands in the order of its indexes, whatever order it came in and whatever is missing between", () => {
    const content = (i: number, said: string): Attributes => ({ [`llm.input_messages.${i}.message.content`]: said });
    expect(call({ ...content(10, "last"), ...content(2, "second"), ...content(0, "first") })["prompt_full_text"]).toEqual(
      ["first", "second", "last"].map((said) => message("user", text(said))),
    );
  });

  it("of a function call of old", () => {
    expect(
      call({
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.function_call_name": "get_weather",
        "llm.output_messages.0.message.function_call_arguments_json": '{"city":"Utrecht"}',
      })["response_full_text"],
    ).toEqual([message("assistant", { type: "tool_call", id: null, name: "get_weather", arguments: { city: "Utrecht" } })]);
  });

  it("of a text completion", () => {
    expect(call({ "llm.prompts.0.prompt.text": "Once", "llm.choices.0.completion.text": "upon a time" })).toMatchObject({
      operation_name: "text_completion",
      prompt_full_text: "Once",
      prompt_format: "text",
      response_full_text: "upon a time",
    });
  });

  it("as plain text where nothing else is there", () => {
    expect(call({ "input.value": "Hi", "output.value": "Ho" })).toMatchObject({
      prompt_full_text: "Hi",
      response_full_text: "Ho",
      prompt_format: "text",
    });
  });

  it("that was cut on its way stays as it came", () => {
    const cut = '{"messages":[{"role":"user","content":"Hi th';
    const rows = toldOf({ attributes: { "openinference.span.kind": "LLM", "llm.model_name": "m", "output.value": `"${cut}` } });
    expect(rows[0]?.["response_full_text"]).toBe(`"${cut}`);
  });

  it("in a framework's own shape is read from the flattened messages", () => {
    const body = json({ messages: [{ role: "user", additional_kwargs: {}, said: "Hi" }] });
    expect(
      call({ "input.value": body, "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Hi" })[
        "prompt_full_text"
      ],
    ).toEqual([message("user", text("Hi"))]);
  });
});

describe("hidden content", () => {
  it("is no content, and says so", () => {
    const row = call({ "input.value": REDACTED, "output.value": REDACTED, "llm.token_count.prompt": 3 });
    expect(row).toMatchObject({ content_state: "redacted", tokens_prompt: 3 });
    expect(row).not.toHaveProperty("prompt_full_text");
    expect(row).not.toHaveProperty("response_full_text");
  });

  it("of a message is not taken from elsewhere", () => {
    const body = json({ messages: [{ role: "user", content: "secret" }] });
    const row = call({
      "input.value": body,
      "llm.input_messages.0.message.role": "user",
      "llm.input_messages.0.message.content": REDACTED,
    });
    expect(row["content_state"]).toBe("redacted");
    expect(json(row)).not.toContain("secret");
  });

  it("of one image leaves the rest of its message", () => {
    const part = "llm.input_messages.0.message.contents";
    const row = call({
      [`${part}.0.message_content.text`]: "What is this?",
      [`${part}.1.message_content.image.image.url`]: REDACTED,
      "llm.output_messages.0.message.content": "A fox",
    });
    expect(row["content_state"]).toBe("redacted");
    expect(row["prompt_full_text"]).toEqual([message("user", text("What is this?"), { type: "uri", modality: "image", uri: REDACTED })]);
    expect(row["response_full_text"]).toEqual([message("assistant", text("A fox"))]);
  });

  it("of an embedding is no prompt", () => {
    const attributes = {
      "openinference.span.kind": "EMBEDDING",
      "embedding.model_name": "e",
      "embedding.embeddings.0.embedding.text": REDACTED,
    };
    const [row] = toldOf({ attributes });
    expect(row).toMatchObject({ operation_name: "embeddings", content_state: "redacted" });
    expect(row).not.toHaveProperty("prompt_full_text");
  });
});

it("a cost that was sent stays what it is", () => {
  const attributes = { "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.cost.total": 0.36, "llm.token_count.prompt": 1 };
  expect(generationsOf({ attributes })).toMatchObject([{ cost_amount: "0.36", cost_currency: "USD", cost_source: "sent" }]);
});

import { expect } from "vitest";
import { type Asked, message, OPENAI_CASES, text } from "../../../support/openai-cases.ts";
import { type ClientCases, calls, type Row } from "./client-cases.ts";

/** What OpenInference tells of a call: nothing of what answered a stream of chat (no counts, no id, no model), everything of the rest. */
function expected(asked: Asked): Row {
  const answer = {
    tokens_prompt: asked.input,
    tokens_completion: asked.output,
    tokens_total: asked.input + asked.output,
    tokens_reasoning: asked.reasoning,
    tokens_cache_read: asked.cached,
    response_model: asked.answeredBy,
    response_id: expect.stringMatching(asked.api === "chat" ? /^chatcmpl-fake/ : /^resp-fake/),
  };
  const thoughts = asked.answers.flat().find(({ type }) => type === "reasoning")?.["content"];
  return {
    dialect: "openinference",
    operation_name: "chat",
    provider_name: "openai",
    model_name: asked.model,
    ...asked.settings,
    ...(Object.keys(asked.parameters).length === 0 ? {} : { model_parameters: asked.parameters }),
    ...(asked.tools.length === 0 ? {} : { tool_definitions: asked.tools }),
    prompt_full_text: asked.prompt,
    prompt_format: "messages",
    response_full_text: answersOf(asked),
    response_format: "messages",
    ...(thoughts === undefined ? {} : { reasoning_content: thoughts }),
    ...(asked.streamed ? {} : answer),
    response_finish_reason: asked.finish,
    generation_status: "success",
    content_state: "captured",
  };
}

/** Chat completions name the reason in each message; each item of the responses API is a message of its own. */
function answersOf({ api, answers, finish }: Asked): unknown {
  if (api === "responses") return answers.flat().map((part) => message("assistant", part));
  return answers.map((parts) => ({ ...message("assistant", ...parts), finish_reason: finish }));
}

const all = (name: string): Row[] => OPENAI_CASES[name]!.map(expected);
const plain = OPENAI_CASES["chat-stream-nousage"]![0]!;
/** A stream of which nothing is known but its text. */
const stream = expected(plain);

const CALLS: Readonly<Record<string, readonly Row[]>> = {
  ...Object.fromEntries(Object.keys(OPENAI_CASES).map((name) => [name, all(name)])),
  // A stream that the case before had left open ends up in the body of this one.
  "chat-tools": [stream, ...all("chat-tools")],
  "chat-stream-cut": [stream],
  "chat-stream-helper": [stream],
  // Session, user, template, tags and metadata of the application's context.
  "chat-context": [
    {
      ...expected({ ...plain, streamed: false, parameters: {} }),
      prompt_template_version: "2.1",
      prompt_variables: { term: "fox" },
      conversation_id: "s-1",
      user_id: "u-1",
      additional_metadata: { definitie_id: 456, tags: ["a"] },
    },
  ],
  // Its vectors are no answer.
  embeddings: [
    {
      dialect: "openinference",
      operation_name: "embeddings",
      provider_name: "openai",
      model_name: "text-embedding-3-small",
      prompt_full_text: ["a", "b"],
      prompt_format: "text",
      generation_status: "success",
      content_state: "captured",
    },
  ],
};

export const OPENINFERENCE_OPENAI: ClientCases = {
  client: "openinference-openai",
  instrumentation: "@arizeai/openinference-instrumentation-openai 4.2.7, openai 7.55",
  bodies: Object.fromEntries(Object.entries(CALLS).map(([name, rows]) => [name, calls(...rows)])),
};

/** A long conversation whose sender dropped attributes: all its messages are there, and it says that its answer is missing. */
export const OPENINFERENCE_LONG: ClientCases = {
  client: "openinference-longchat",
  instrumentation: "@arizeai/openinference-instrumentation-openai 4.2.7, openai 7.55",
  bodies: {
    "chat-100-messages": calls({
      dialect: "openinference",
      operation_name: "chat",
      provider_name: "openai",
      model_name: "gpt-4o-mini",
      response_model: "gpt-4o-mini-2024-07-18",
      prompt_full_text: Array.from({ length: 100 }, (_, i) => message(i % 2 === 1 ? "assistant" : "user", text(`m${i}`))),
      prompt_format: "messages",
      generation_status: "success",
      content_state: "truncated",
    }),
  },
};

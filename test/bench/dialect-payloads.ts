import type { Attributes } from "@opentelemetry/api";
import * as names from "../../sdk/attributes.ts";

/** The same call as another instrumentation would tell it. */
export const DIALECT_KINDS = ["openinference", "vercel"] as const;
export type DialectKind = (typeof DIALECT_KINDS)[number];

interface Message {
  readonly role: string;
  readonly parts: readonly { readonly content: string }[];
}

const messagesOf = (attributes: Attributes, name: string): { role: string; content: string }[] =>
  (JSON.parse(String(attributes[name])) as Message[]).map(({ role, parts }) => ({ role, content: parts[0]?.content ?? "" }));

const without = (attributes: Attributes, prefixes: readonly string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))));

/** OpenInference's instrumentation of the OpenAI client: messages as flattened names, and the whole request and answer as JSON beside them. */
function openinference(call: Attributes): Attributes {
  const input = messagesOf(call, names.GEN_AI_INPUT_MESSAGES);
  const output = messagesOf(call, names.GEN_AI_OUTPUT_MESSAGES);
  const flattened = (prefix: string, messages: typeof input): Attributes =>
    Object.fromEntries(
      messages.flatMap(({ role, content }, i) => [
        [`${prefix}.${i}.message.role`, role],
        [`${prefix}.${i}.message.content`, content],
      ]),
    );
  const model = call[names.GEN_AI_REQUEST_MODEL];
  const settings = { model, temperature: call[names.GEN_AI_REQUEST_TEMPERATURE], max_tokens: call[names.GEN_AI_REQUEST_MAX_TOKENS] };
  const usage = { prompt_tokens: call[names.GEN_AI_USAGE_INPUT_TOKENS], completion_tokens: call[names.GEN_AI_USAGE_OUTPUT_TOKENS] };
  const choices = output.map((message, index) => ({ index, message, finish_reason: "stop" }));
  return {
    ...without(call, ["gen_ai."]),
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.provider": "openai",
    "llm.model_name": model,
    "llm.invocation_parameters": JSON.stringify(settings),
    "llm.token_count.prompt": usage.prompt_tokens,
    "llm.token_count.completion": usage.completion_tokens,
    "llm.token_count.total": Number(usage.prompt_tokens) + Number(usage.completion_tokens),
    "session.id": call[names.GEN_AI_CONVERSATION_ID],
    "input.mime_type": "application/json",
    "input.value": JSON.stringify({ messages: input, ...settings }),
    "output.mime_type": "application/json",
    "output.value": JSON.stringify({ id: call[names.GEN_AI_RESPONSE_ID], object: "chat.completion", model, choices, usage }),
    ...flattened("llm.input_messages", input),
    ...flattened("llm.output_messages", output),
  };
}

/** The AI SDK before version 7: a `doGenerate` span with its own names and some of an older convention. */
function vercel(call: Attributes): Attributes {
  const [answer] = messagesOf(call, names.GEN_AI_OUTPUT_MESSAGES);
  const model = call[names.GEN_AI_REQUEST_MODEL];
  const [input, output] = [call[names.GEN_AI_USAGE_INPUT_TOKENS], call[names.GEN_AI_USAGE_OUTPUT_TOKENS]];
  const prompt = messagesOf(call, names.GEN_AI_INPUT_MESSAGES).map(({ role, content }) =>
    role === "user" ? { role, content: [{ type: "text", text: content }] } : { role, content },
  );
  return {
    ...without(call, ["gen_ai.input", "gen_ai.output", "gen_ai.operation", "gen_ai.provider", "gen_ai.conversation", "gen_ai.prompt"]),
    "operation.name": "ai.generateText.doGenerate",
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.provider": "openai.chat",
    "ai.model.id": model,
    "ai.settings.maxRetries": 2,
    "ai.prompt.messages": JSON.stringify(prompt),
    "ai.response.text": answer?.content,
    "ai.response.finishReason": "stop",
    "ai.response.id": call[names.GEN_AI_RESPONSE_ID],
    "ai.response.model": model,
    "ai.usage.promptTokens": input,
    "ai.usage.completionTokens": output,
    "gen_ai.system": "openai.chat",
  };
}

export const inDialect: Readonly<Record<DialectKind, (call: Attributes) => Attributes>> = { openinference, vercel };

export const isDialectKind = (kind: string): kind is DialectKind => (DIALECT_KINDS as readonly string[]).includes(kind);

import { isShape, known, listAt, numberAt, type Shape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader, Usage } from "../generation/types.ts";
import { providerReader } from "./provider-reader.ts";

/** Answers of OpenAI's chat completions API and of the many that speak like it. */
export const openaiChat: Reader = providerReader({
  response(response) {
    const choices = listAt(response, "choices");
    const finishReasons = choices.flatMap((choice) => textAt(choice, "finish_reason") ?? []);
    return known({
      provider: "openai",
      messages: choices.flatMap((choice) => messageOf(choice)),
      finishReasons: finishReasons.length > 0 ? finishReasons : undefined,
      responseId: textAt(response, "id"),
      responseModel: textAt(response, "model"),
      createdAt: numberAt(response, "created"),
      usage: chatUsage(isShape(response) ? response["usage"] : undefined),
    });
  },
  stream: () => {
    let first: unknown;
    let usage: unknown;
    const choices: Shape[] = [];
    return {
      chunk(chunk) {
        first ??= chunk;
        if (isShape(chunk) && isShape(chunk["usage"])) usage = chunk["usage"];
        for (const delta of listAt(chunk, "choices")) addDelta(choices, delta);
      },
      result: (): GenerationResult =>
        openaiChat.response({
          id: textAt(first, "id"),
          model: textAt(first, "model"),
          created: numberAt(first, "created"),
          choices: choices.filter((choice) => choice !== undefined),
          usage,
        }),
    };
  },
});

function messageOf(choice: unknown): object[] {
  const message = isShape(choice) ? (choice["message"] ?? { content: choice["text"] }) : undefined;
  if (!isShape(message)) return [];
  const reason = textAt(choice, "finish_reason");
  return [{ role: "assistant", ...message, ...(reason === undefined ? {} : { finish_reason: reason }) }];
}

export function chatUsage(usage: unknown): Usage | undefined {
  if (!isShape(usage)) return undefined;
  return known({
    input: numberAt(usage, "prompt_tokens"),
    output: numberAt(usage, "completion_tokens"),
    total: numberAt(usage, "total_tokens"),
    reasoning: numberAt(usage, "completion_tokens_details", "reasoning_tokens"),
    cacheRead: numberAt(usage, "prompt_tokens_details", "cached_tokens"),
  });
}

/** Pieces are joined as they come; a list of them per choice would cost as much as the text. */
function addDelta(choices: Shape[], piece: unknown): void {
  const index = numberAt(piece, "index") ?? 0;
  if (index < 0 || index > 1_000) return;
  const before = (choices[index] ?? { message: { role: "assistant" } }) as { message: Shape; finish_reason?: unknown };
  const delta = isShape(piece) && isShape(piece["delta"]) ? piece["delta"] : {};
  const message: Record<string, unknown> = { ...before.message };
  for (const name of ["content", "refusal", "reasoning_content", "reasoning"]) {
    const text = textAt(delta, name);
    if (text !== undefined) message[name] = `${textAt(message, name) ?? ""}${text}`;
  }
  const calls = listAt(delta, "tool_calls");
  if (calls.length > 0)
    message["tool_calls"] = calls.reduce<readonly Shape[]>(addToolCall, listAt(message, "tool_calls") as readonly Shape[]);
  choices[index] = { message, finish_reason: textAt(piece, "finish_reason") ?? before.finish_reason };
}

function addToolCall(calls: readonly Shape[], delta: unknown): readonly Shape[] {
  const index = numberAt(delta, "index") ?? calls.length;
  if (index < 0 || index > 1_000) return calls;
  const before = calls[index];
  const joined = {
    id: textAt(before, "id") ?? textAt(delta, "id"),
    function: {
      name: textAt(before, "function", "name") ?? textAt(delta, "function", "name"),
      arguments: `${textAt(before, "function", "arguments") ?? ""}${textAt(delta, "function", "arguments") ?? ""}`,
    },
  };
  return calls.length > index ? calls.with(index, joined) : [...calls, joined];
}

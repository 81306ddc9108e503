import { at, isShape, known, listAt, numberAt, textAt, textOf } from "../generation/shape.ts";
import type { GenerationResult, Reader, Usage } from "../generation/types.ts";
import { providerReader } from "./provider-reader.ts";

/** Results of the Vercel AI SDK's generateText and generateObject, and the parts of its full streams (or plain pieces of text). */
export const vercel: Reader = providerReader({
  response(response) {
    const object = at(response, "object");
    const created = at(response, "response", "timestamp");
    return known({
      messages: answerMessages(response, object),
      finishReason: textAt(response, "finishReason"),
      responseId: textAt(response, "response", "id"),
      responseModel: textAt(response, "response", "modelId"),
      createdAt: created instanceof Date ? Math.floor(created.getTime() / 1000) : undefined,
      usage: vercelUsage(at(response, "totalUsage") ?? at(response, "usage")),
    });
  },
  stream: () => {
    let text = "";
    let reasoning = "";
    let facts: Readonly<Record<string, unknown>> = {};
    const calls: unknown[] = [];
    return {
      chunk(part) {
        if (typeof part === "string") text += part;
        const delta = textAt(part, "text") ?? textAt(part, "delta") ?? textAt(part, "textDelta") ?? "";
        const type = textAt(part, "type");
        if (type === "text-delta") text += delta;
        if (type === "reasoning-delta" || type === "reasoning") reasoning += delta;
        if (type === "tool-call") calls.push(part);
        if (isShape(part) && (type === "finish" || type === "finish-step")) facts = { ...facts, ...part };
      },
      result: (): GenerationResult => vercel.response({ ...facts, text, reasoningText: reasoning, toolCalls: calls }),
    };
  },
});

function answerMessages(response: unknown, object: unknown): object[] {
  const reasoning = textAt(response, "reasoningText") ?? textOf(at(response, "reasoning"));
  const text = textAt(response, "text") ?? (object === undefined ? undefined : JSON.stringify(object));
  const calls = listAt(response, "toolCalls").filter(isShape);
  const content = [
    ...(reasoning === undefined ? [] : [{ type: "reasoning", text: reasoning }]),
    ...(text === undefined ? [] : [{ type: "text", text }]),
    ...calls.map((call) => ({ ...call, type: "tool-call" })),
  ];
  return content.length === 0 ? [] : [{ role: "assistant", content }];
}

/** Names of versions 4 to 7. */
function vercelUsage(usage: unknown): Usage | undefined {
  if (!isShape(usage)) return undefined;
  return known({
    input: numberAt(usage, "inputTokens") ?? numberAt(usage, "promptTokens"),
    output: numberAt(usage, "outputTokens") ?? numberAt(usage, "completionTokens"),
    total: numberAt(usage, "totalTokens"),
    reasoning: numberAt(usage, "outputTokenDetails", "reasoningTokens") ?? numberAt(usage, "reasoningTokens"),
    cacheRead: numberAt(usage, "inputTokenDetails", "cacheReadTokens") ?? numberAt(usage, "cachedInputTokens"),
    cacheWrite: numberAt(usage, "inputTokenDetails", "cacheWriteTokens"),
  });
}

import { isShape, known, listAt, numberAt, type Shape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader, Usage } from "../generation/types.ts";
import { providerReader } from "./provider-reader.ts";

/** Answers of OpenAI's responses API. */
export const openaiResponses: Reader = providerReader({
  response(response) {
    return known({
      provider: "openai",
      messages: answerMessages(listAt(response, "output")),
      finishReason: finishReason(response),
      responseId: textAt(response, "id"),
      responseModel: textAt(response, "model"),
      createdAt: numberAt(response, "created_at"),
      usage: responsesUsage(isShape(response) ? response["usage"] : undefined),
    });
  },
  stream: () => {
    let latest: unknown;
    const items: unknown[] = [];
    const texts = new Map<number, string>();
    return {
      chunk(event) {
        const type = textAt(event, "type");
        const index = numberAt(event, "output_index") ?? 0;
        if (isShape(event) && isShape(event["response"])) latest = event["response"];
        if (type === "response.output_item.done" && isShape(event)) items.push(event["item"]);
        if (type === "response.output_item.done") texts.delete(index);
        if (type === "response.output_text.delta") texts.set(index, `${texts.get(index) ?? ""}${textAt(event, "delta") ?? ""}`);
      },
      result(): GenerationResult {
        // A stream that was cut has no final list of its items: what was finished and what was under way stand in for it.
        const cut = [...items, ...[...texts.values()].map((text) => ({ type: "message", content: [{ type: "output_text", text }] }))];
        const output = listAt(latest, "output");
        return openaiResponses.response({ ...(isShape(latest) ? latest : {}), output: output.length > 0 ? output : cut });
      },
    };
  },
});

/** All items of an answer are one message of the assistant. */
function answerMessages(output: readonly unknown[]): object[] {
  const parts = output.flatMap((item) => (textAt(item, "type") === "message" ? listAt(item, "content") : isShape(item) ? [item] : []));
  return parts.length === 0 ? [] : [{ role: "assistant", content: parts }];
}

/** The API has no finish reason: its status says as much, and tool calls say the rest. */
function finishReason(response: unknown): string | undefined {
  const incomplete = textAt(response, "incomplete_details", "reason");
  if (incomplete !== undefined) return incomplete === "max_output_tokens" ? "length" : incomplete;
  const status = textAt(response, "status");
  if (status !== "completed") return status === "in_progress" ? undefined : status;
  return listAt(response, "output").some((item) => textAt(item, "type") === "function_call") ? "tool_call" : "stop";
}

function responsesUsage(usage: unknown): Usage | undefined {
  if (!isShape(usage)) return undefined;
  const counts: Shape = usage;
  return known({
    input: numberAt(counts, "input_tokens"),
    output: numberAt(counts, "output_tokens"),
    total: numberAt(counts, "total_tokens"),
    reasoning: numberAt(counts, "output_tokens_details", "reasoning_tokens"),
    cacheRead: numberAt(counts, "input_tokens_details", "cached_tokens"),
  });
}

import { isShape, known, listAt, numberAt, type Shape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader, Usage } from "../generation/types.ts";
import { providerReader } from "./provider-reader.ts";

/** Answers of Google's Gemini, on both of its platforms. */
export const gemini: Reader = providerReader({
  response(response) {
    const candidates = listAt(response, "candidates");
    const finishReasons = candidates.flatMap((candidate) => textAt(candidate, "finishReason")?.toLowerCase() ?? []);
    return known({
      provider: "gcp.gemini",
      messages: candidates.flatMap(messageOf),
      finishReasons: finishReasons.length > 0 ? finishReasons : undefined,
      responseId: textAt(response, "responseId"),
      responseModel: textAt(response, "modelVersion"),
      usage: geminiUsage(isShape(response) ? response["usageMetadata"] : undefined),
    });
  },
  stream: () => {
    let last: Shape = {};
    const candidates: { content: { role: string; parts: Shape[] }; finishReason?: unknown }[] = [];
    return {
      chunk(chunk) {
        if (!isShape(chunk)) return;
        last = { ...last, ...chunk };
        for (const [i, candidate] of listAt(chunk, "candidates").entries()) {
          const index = numberAt(candidate, "index") ?? i;
          if (index < 0 || index > 1_000) continue;
          candidates[index] ??= { content: { role: "model", parts: [] } };
          for (const part of listAt(candidate, "content", "parts")) addPart(candidates[index].content.parts, part);
          candidates[index].finishReason = textAt(candidate, "finishReason") ?? candidates[index].finishReason;
        }
      },
      result: (): GenerationResult => gemini.response({ ...last, candidates: candidates.filter((each) => each !== undefined) }),
    };
  },
});

function messageOf(candidate: unknown): object[] {
  const parts = listAt(candidate, "content", "parts");
  return parts.length === 0 ? [] : [{ role: "assistant", parts }];
}

/** Text that continues the text before it is one part with it. */
function addPart(parts: Shape[], part: unknown): void {
  if (!isShape(part)) return;
  const before = parts.at(-1);
  const text = textAt(part, "text");
  const continues =
    text !== undefined && before !== undefined && textAt(before, "text") !== undefined && before["thought"] === part["thought"];
  if (continues) parts[parts.length - 1] = { ...before, text: `${textAt(before, "text")}${text}` };
  else parts.push(part);
}

/** Thoughts are counted beside the candidates. */
function geminiUsage(usage: unknown): Usage | undefined {
  if (!isShape(usage)) return undefined;
  return known({
    input: numberAt(usage, "promptTokenCount"),
    output: numberAt(usage, "candidatesTokenCount"),
    total: numberAt(usage, "totalTokenCount"),
    reasoning: numberAt(usage, "thoughtsTokenCount"),
    cacheRead: numberAt(usage, "cachedContentTokenCount"),
    reasoningInOutput: false,
  });
}

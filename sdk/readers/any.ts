import { isShape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader, StreamReader } from "../generation/types.ts";
import { answerError } from "./answer-error.ts";
import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import { providerReader } from "./provider-reader.ts";
import { vercel } from "./vercel.ts";

/** The reader whose provider's structure a response or chunk has. */
function readerOf(value: unknown): Reader | undefined {
  if (typeof value === "string") return vercel;
  if (!isShape(value)) return undefined;
  const type = textAt(value, "type") ?? "";
  if (Array.isArray(value["choices"])) return openaiChat;
  if (Array.isArray(value["output"]) || type.startsWith("response.")) return openaiResponses;
  if (Array.isArray(value["candidates"]) || isShape(value["usageMetadata"])) return gemini;
  if (type === "message" || /^(message|content_block)_/.test(type)) return anthropic;
  // OpenAI names the kind of whatever it answers; an object that the AI SDK made, which may be a text, stands beside its finish reason.
  if (typeof value["object"] === "string" && value["finishReason"] === undefined) return openaiChat;
  if (typeof value["text"] === "string" || value["object"] !== undefined || type !== "") return vercel;
  return undefined;
}

/** Knows a provider by the structure of its answers; what has none of them is read as no answer, a text as itself. */
export const readAny: Reader = providerReader({
  response(response): GenerationResult {
    if (typeof response === "string") return { text: response };
    return readerOf(response)?.response(response) ?? {};
  },
  stream(): StreamReader {
    let reader: StreamReader | undefined;
    return {
      chunk(chunk) {
        // A failure looks alike with all of them.
        if (answerError(chunk) === undefined) reader ??= readerOf(chunk)?.stream();
        reader?.chunk(chunk);
      },
      result: () => reader?.result() ?? {},
    };
  },
});

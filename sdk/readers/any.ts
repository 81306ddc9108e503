import { isShape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader, StreamReader } from "../generation/types.ts";
import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
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
  if (typeof value["text"] === "string" || value["object"] !== undefined || type !== "") return vercel;
  return undefined;
}

/** Knows a provider by the structure of its answers; what has none of them is read as no answer, a text as itself. */
export const readAny: Reader = {
  response(response): GenerationResult {
    if (typeof response === "string") return { text: response };
    return readerOf(response)?.response(response) ?? {};
  },
  stream(): StreamReader {
    let reader: StreamReader | undefined;
    return {
      chunk(chunk) {
        reader ??= readerOf(chunk)?.stream();
        reader?.chunk(chunk);
      },
      result: () => reader?.result() ?? {},
    };
  },
};

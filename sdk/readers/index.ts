import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import { vercel } from "./vercel.ts";

/**
 * Readers of answers, whole and streamed, for {@link generate} and {@link Generation.stream}. They look at structure only: no provider's package is needed, and any version of
 * one will do.
 */
export const read = { openaiChat, openaiResponses, anthropic, gemini, vercel } as const;

import { type Content, createContent } from "../core/content.ts";
import { resolveContent } from "../core/content-policy.ts";
import { createProblems } from "../core/problems.ts";
import { safeText } from "../core/safe-json.ts";
import type { GenerationSummary } from "../generation/ending.ts";
import { toMessages } from "../generation/messages.ts";
import { countedUsage } from "../generation/result-attributes.ts";
import type { GenerationResult, GenerationStart } from "../generation/types.ts";
import type { SentenceGenerationTrace } from "./problem-trace.ts";

/** What an application stores itself is not cut and not redacted; pictures are named, not copied. */
const UNCHANGED: Content = createContent({
  policy: resolveContent({ images: "hash" }, Number.MAX_SAFE_INTEGER),
  redact: undefined,
  problems: createProblems(() => {}),
});

/** One generation of an item as it stands: from what it began with, and from its summary once it is over. */
export function sentenceTrace(id: string, index: number, start: GenerationStart, end?: GenerationSummary): SentenceGenerationTrace {
  const { result } = end ?? {};
  return {
    index,
    generation_id: id,
    model: text(start.model),
    response_model: text(result?.responseModel),
    response_id: text(result?.responseId),
    prompt_name: text(start.prompt?.name),
    prompt_version: text(start.prompt?.version),
    prompt_text: promptText(start),
    ...answerOf(result),
    ...tokensOf(result),
    duration_ms: end?.durationMillis ?? null,
    finish_reason: text(result?.finishReason ?? result?.finishReasons?.[0]),
    status: end?.status ?? "pending",
    error_message: text(end?.errorMessage),
  };
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** Exactly what was sent: the text, or the messages as JSON. */
const promptText = ({ prompt, messages }: GenerationStart): string | null =>
  text(messages === undefined ? prompt?.text : safeText(messages));

function answerOf(result: GenerationResult | undefined): Pick<SentenceGenerationTrace, "content" | "reasoning_content"> {
  const messages = result?.messages === undefined ? [] : toMessages(result.messages, "assistant", UNCHANGED);
  const parts = messages.flatMap((message) => message.parts as readonly { readonly type?: unknown; readonly content?: unknown }[]);
  const joined = (type: string): string | null =>
    text(parts.flatMap((part) => (part.type === type && typeof part.content === "string" ? [part.content] : [])).join("\n"));
  return { content: text(result?.text) ?? joined("text"), reasoning_content: text(result?.reasoning) ?? joined("reasoning") };
}

type Tokens = Pick<SentenceGenerationTrace, "input_tokens" | "output_tokens" | "reasoning_tokens" | "total_tokens">;

/** As the generation's own record counts them. */
function tokensOf({ usage }: GenerationResult = {}): Tokens {
  const counted = usage === undefined || usage === null ? undefined : countedUsage(usage);
  const input_tokens = counted?.input ?? null;
  const output_tokens = counted?.output ?? null;
  return {
    input_tokens,
    output_tokens,
    reasoning_tokens: counted?.reasoning ?? null,
    total_tokens: input_tokens === null || output_tokens === null ? null : input_tokens + output_tokens,
  };
}

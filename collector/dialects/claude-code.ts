import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { type GenerationDraft, override, supply, supplyContent } from "./generation-draft.ts";
import { at, type Json, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent, normalizeFinishReason, toMessageList } from "./messages.ts";
import { supplyCost } from "./sent-cost.ts";

const HIDDEN = "<REDACTED>";

/** Claude Code and the Claude agent SDK: bare names, which mean something only on their own kinds of spans; input excludes what was cached. */
export const claudeCode: Dialect = {
  name: "claude-code",
  signs: ["span.type", "claude_code."],
  sources: {},
  classify(view) {
    const type = stringOf(attributeNamed(view, "span.type"))?.replace(/^claude_code\./, "");
    if (type === "llm_request") return "call";
    return type === "interaction" || type === "tool" || type === "hook" ? "wrapper" : undefined;
  },
  complete(view, draft) {
    if (this.classify(view, draft) !== "call") return;
    supply(draft, "operation", "chat", "span.type");
    supply(draft, "provider", "anthropic", "span.type");
    supply(draft, "model", textNamed(view, "model"), "model");
    supplyCounts(view, draft);
    const reason = textNamed(view, "stop_reason");
    supply(draft, "finishReasons", reason === undefined ? undefined : normalizeFinishReason(reason), "stop_reason");
    supplyCost(draft, numberOf(attributeNamed(view, "cost_usd")), "cost_usd");
    const attempt = numberOf(attributeNamed(view, "attempt"));
    supply(draft, "resendCount", attempt === undefined || attempt < 1 ? undefined : attempt - 1, "attempt");
    supply(draft, "conversationId", textNamed(view, "session.id"), "session.id");
    supply(draft, "systemInstructions", shown(view, draft, "system_prompt_preview"), "system_prompt_preview");
    supplyText(draft, "prompt", shown(view, draft, "user_prompt") ?? shown(view, draft, "new_context"));
    supplyText(draft, "response", shown(view, draft, "response.model_output"));
  },
};

const textNamed = (view: SpanView, name: string): string | undefined => stringOf(attributeNamed(view, name));

/** Content, unless it was hidden. */
function shown(view: SpanView, draft: GenerationDraft, name: string): string | undefined {
  const text = textNamed(view, name);
  if (text !== HIDDEN) return text;
  draft.contentRedacted = true;
  return undefined;
}

function supplyCounts(view: SpanView, draft: GenerationDraft): void {
  const counts = [
    ["inputTokens", "input_tokens"],
    ["outputTokens", "output_tokens"],
    ["cacheReadTokens", "cache_read_tokens"],
    ["cacheWriteTokens", "cache_creation_tokens"],
  ] as const;
  for (const [concept, name] of counts) {
    const count = numberOf(attributeNamed(view, name));
    if (count !== undefined) override(draft, concept, count, name);
  }
  draft.cacheOutsideInput = true;
}

function supplyText(draft: GenerationDraft, which: "prompt" | "response", text: string | undefined): void {
  if (text === undefined) return;
  const opened: Json = openJson(text);
  const role = which === "prompt" ? "user" : "assistant";
  const messages = Array.isArray(opened) && at(opened, 0, "role") !== undefined ? messagesContent(toMessageList(opened, role)) : undefined;
  supplyContent(draft, which, messages ?? { text, format: "text" }, which === "prompt" ? "user_prompt" : "response.model_output");
}

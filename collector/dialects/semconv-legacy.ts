import * as A from "../../sdk/attributes.ts";
import { CONCEPT } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { type BuiltContent, type GenerationDraft, supplyContent } from "./generation-draft.ts";
import { toMessages } from "./messages.ts";

/** Old content text in the current shape: messages where it is JSON, else the raw text (also when the JSON was cut off on the way). */
export function legacyContent(text: string, role: "user" | "assistant"): BuiltContent {
  const looksLikeJson = /^\s*[[{]/.test(text);
  const messages = looksLikeJson ? toMessages(text, role) : undefined;
  return messages === undefined ? { text, format: "text" } : { text: JSON.stringify(messages), format: "messages" };
}

/** Content in the span attributes gen_ai.prompt and gen_ai.completion (v1.26–v1.27): a JSON string in the provider's message format. */
export function buildFromLegacyContent(view: SpanView, draft: GenerationDraft): void {
  const prompt = textOf(view, draft, CONCEPT.legacyPrompt);
  if (prompt !== undefined) supplyContent(draft, "prompt", legacyContent(prompt, "user"), A.GEN_AI_PROMPT);
  const completion = textOf(view, draft, CONCEPT.legacyCompletion);
  if (completion !== undefined) supplyContent(draft, "response", legacyContent(completion, "assistant"), A.GEN_AI_COMPLETION);
}

function textOf(view: SpanView, draft: GenerationDraft, concept: number): string | undefined {
  const index = draft.attribute[concept]!;
  return index < 0 ? undefined : view.attributes.text(index);
}

import { CONCEPT } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { BuiltContent, GenerationDraft } from "./generation-draft.ts";
import { toMessages } from "./messages.ts";

type Content = NonNullable<BuiltContent["prompt"]>;

/** Old content text in the current shape: messages where it is JSON, else the raw text (also when the JSON was cut off on the way). */
export function legacyContent(text: string, role: "user" | "assistant"): Content {
  const looksLikeJson = /^\s*[[{]/.test(text);
  const messages = looksLikeJson ? toMessages(text, role) : undefined;
  return messages === undefined ? { text, format: "text" } : { text: JSON.stringify(messages), format: "messages" };
}

/** Content in the span attributes gen_ai.prompt and gen_ai.completion (v1.26–v1.27): a JSON string in the provider's message format. */
export function buildFromLegacyContent(view: SpanView, draft: GenerationDraft): void {
  draft.built ??= {};
  const prompt = textOf(view, draft, CONCEPT.legacyPrompt);
  if (prompt !== undefined && draft.attribute[CONCEPT.inputMessages]! < 0) draft.built.prompt = legacyContent(prompt, "user");
  const completion = textOf(view, draft, CONCEPT.legacyCompletion);
  if (completion !== undefined && draft.attribute[CONCEPT.outputMessages]! < 0)
    draft.built.response = legacyContent(completion, "assistant");
}

function textOf(view: SpanView, draft: GenerationDraft, concept: number): string | undefined {
  const index = draft.attribute[concept]!;
  return index < 0 ? undefined : view.attributes.text(index);
}

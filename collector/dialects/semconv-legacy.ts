import * as A from "../../sdk/attributes.ts";
import { CONCEPT } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { type GenerationDraft, supplyContent } from "./generation-draft.ts";
import { contentFromText } from "./messages.ts";
import { answerFromText } from "./provider-answers.ts";

/** Content in the span attributes gen_ai.prompt and gen_ai.completion (v1.26–v1.27): a JSON string in the provider's message format. */
export function buildFromLegacyContent(view: SpanView, draft: GenerationDraft): void {
  const prompt = textOf(view, draft, CONCEPT.legacyPrompt);
  if (prompt !== undefined) supplyContent(draft, "prompt", contentFromText(prompt, "user"), A.GEN_AI_PROMPT);
  const completion = textOf(view, draft, CONCEPT.legacyCompletion);
  if (completion !== undefined) supplyContent(draft, "response", answerFromText(completion), A.GEN_AI_COMPLETION);
}

function textOf(view: SpanView, draft: GenerationDraft, concept: number): string | undefined {
  const index = draft.attribute[concept]!;
  return index < 0 ? undefined : view.attributes.text(index);
}

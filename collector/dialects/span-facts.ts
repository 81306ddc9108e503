import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed } from "./flattened.ts";
import { type GenerationDraft, supplyContent } from "./generation-draft.ts";
import { stringOf } from "./json.ts";
import { contentFromText } from "./messages.ts";

/** The span's own name, for dialects that tell their spans apart by it alone. */
export const spanName = ({ arena, nameOffset, nameSize }: SpanView): string =>
  arena.request.toString("utf8", nameOffset, nameOffset + nameSize);

/** Content from the first of some attributes that is there: messages where it is JSON, else text. */
export function supplyText(view: SpanView, draft: GenerationDraft, which: "prompt" | "response", names: readonly string[]): void {
  for (const name of names) {
    const text = stringOf(attributeNamed(view, name));
    if (text !== undefined) supplyContent(draft, which, contentFromText(text, which === "prompt" ? "user" : "assistant"), name);
  }
}

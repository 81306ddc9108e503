import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed } from "./flattened.ts";
import { type GenerationDraft, hasConcept, supply } from "./generation-draft.ts";
import { numberOf } from "./json.ts";

/** A cost that is told by its parts alone is their sum. Everyone who tells one counts in dollars. */
export function supplyCostParts(view: SpanView, draft: GenerationDraft, names: readonly string[]): void {
  if (hasConcept(draft, "costAmount")) return;
  const told = names.filter((name) => numberOf(attributeNamed(view, name)) !== undefined);
  if (told.length === 0) return;
  const origin = told.join(" + ");
  supply(
    draft,
    "costAmount",
    told.reduce((sum, name) => sum + (numberOf(attributeNamed(view, name)) ?? 0), 0),
    origin,
  );
  supply(draft, "costCurrency", "USD", origin);
}

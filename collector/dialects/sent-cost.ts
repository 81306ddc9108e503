import * as A from "../../sdk/attributes.ts";
import { CONCEPT, type Concept } from "../model/concept.ts";
import { currencyOf, isAmount } from "../model/price.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed, attributeValue } from "./flattened.ts";
import { type GenerationDraft, hasConcept, override, supply, withdraw } from "./generation-draft.ts";
import { numberOf } from "./json.ts";

/** An attribute that tells a cost, and those that tell more about this one. Without a name for its currency it counts in dollars. */
interface SentCost {
  readonly amount: number;
  readonly currency: number | undefined;
  readonly source: number | undefined;
}

const sent = (amount: string, currency?: string, source?: string): SentCost => ({
  amount: keyTable.register(amount),
  currency: currency === undefined ? undefined : keyTable.register(currency),
  source: source === undefined ? undefined : keyTable.register(source),
});

/** Costs as senders tell them, most trusted first: the order of the dialects. */
const SENT: readonly SentCost[] = [
  sent(A.GEN_AI_USAGE_COST_AMOUNT, A.GEN_AI_USAGE_COST_CURRENCY, A.GEN_AI_USAGE_COST_SOURCE),
  sent("gen_ai.usage.cost"),
  sent("gen_ai.cost.total_cost"),
  sent("litellm.cost.total"),
  sent("operation.cost"),
  sent("llm.cost.total"),
  sent(A.GENSPAN_COST_AMOUNT, A.GENSPAN_COST_CURRENCY, A.GENSPAN_COST_SOURCE),
];

const CONCEPTS = ["costAmount", "costCurrency", "costSource"] as const satisfies readonly Concept[];

/**
 * Of all costs on a span the first that makes sense, with the currency and the source that were told of this one: an amount never meets the
 * currency of another. A negative amount says that it is not known (dialect-traps 16).
 */
export function chooseSentCost(view: SpanView, draft: GenerationDraft): void {
  if (CONCEPTS.every((concept) => draft.attribute[CONCEPT[concept]]! < 0)) return;
  for (const concept of CONCEPTS) withdraw(draft, concept);
  for (const { amount, currency, source } of SENT) {
    const index = view.attributes.find(amount);
    if (index < 0 || !isAmount(numberOf(attributeValue(view, index)))) continue;
    draft.attribute[CONCEPT.costAmount] = index;
    if (currency === undefined) override(draft, "costCurrency", "USD", view.attributes.name(index));
    else supplyCurrency(view, draft, view.attributes.find(currency));
    draft.attribute[CONCEPT.costSource] = source === undefined ? -1 : view.attributes.find(source);
    return;
  }
}

function supplyCurrency({ attributes }: SpanView, draft: GenerationDraft, index: number): void {
  if (index >= 0) supply(draft, "costCurrency", currencyOf(attributes.text(index)), attributes.name(index));
}

/** Twelve digits behind the point, as costs are stored: parts of a dollar that were added up keep their decimals. */
export const sumOf = (parts: readonly number[]): number => Math.round(parts.reduce((sum, part) => sum + part, 0) * 1e12) / 1e12;

/** A cost in dollars from within JSON, or from a name that means one only in its dialect, where no attribute tells one. */
export function supplyCost(draft: GenerationDraft, amount: number | undefined, origin: string): void {
  if (!isAmount(amount) || hasConcept(draft, "costAmount")) return;
  override(draft, "costAmount", amount, origin);
  override(draft, "costCurrency", "USD", origin);
}

/** A cost that is told by its parts alone is their sum. */
export function supplyCostParts(view: SpanView, draft: GenerationDraft, names: readonly string[]): void {
  if (hasConcept(draft, "costAmount")) return;
  const told = names.filter((name) => numberOf(attributeNamed(view, name)) !== undefined);
  const parts = told.map((name) => numberOf(attributeNamed(view, name)) ?? 0);
  if (parts.length > 0 && parts.every(isAmount)) supplyCost(draft, sumOf(parts), told.join(" + "));
}

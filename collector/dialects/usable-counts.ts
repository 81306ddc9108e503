import { CONCEPT, type Concept } from "../model/concept.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { type GenerationDraft, withdraw } from "./generation-draft.ts";
import { numberOf } from "./json.ts";

const COUNTS = [
  "inputTokens",
  "outputTokens",
  "totalTokens",
  "reasoningTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
] as const satisfies readonly Concept[];

/**
 * Senders write -1, "" or NaN for a count that they do not know (dialect-traps 16): such a one gives way to the next name of the count. A 0 is a count.
 * `dialects` in order of trust.
 */
export function createCountRepair(dialects: readonly Dialect[]): (view: SpanView, draft: GenerationDraft) => void {
  const sources = COUNTS.map((concept) => ({
    concept,
    keys: [...new Set(dialects.flatMap((dialect) => dialect.sources[concept] ?? []))].map((name) => keyTable.register(name)),
  }));
  return (view, draft) => {
    for (const { concept, keys } of sources) {
      const chosen = draft.attribute[CONCEPT[concept]]!;
      if (chosen < 0 || isCount(view, chosen)) continue;
      const next = keys.map((key) => view.attributes.find(key)).find((index) => index >= 0 && isCount(view, index));
      if (next === undefined) withdraw(draft, concept);
      else draft.attribute[CONCEPT[concept]] = next;
    }
  };
}

function isCount({ attributes }: SpanView, index: number): boolean {
  const number = attributes.number(index) ?? numberOf(attributes.text(index));
  return number !== undefined && number >= 0 && Number.isFinite(number);
}

import { DIALECTS } from "../dialects/index.ts";
import { isConcept } from "../dialects/registry.ts";

/** The attribute by which a concept is known best: that of the conventions where they have one. Throws for a concept that no attribute carries. */
export function mappedAttribute(concept: string): string {
  const [best] = DIALECTS.flatMap((dialect) => (isConcept(concept) ? (dialect.sources[concept] ?? []) : []));
  if (best === undefined) throw new Error(`no attribute carries the concept ${concept}`);
  return best;
}

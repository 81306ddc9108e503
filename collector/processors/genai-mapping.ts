import { attributeFinder } from "./attribute-finder.ts";
import { type Item, pairTest } from "./item-match.ts";

/** Says where a house dialect keeps a concept. */
export interface MappingRule {
  readonly attribute: string;
  readonly concept?: string | undefined;
  /** Only where this attribute is there, or has this value. */
  readonly when?: { readonly attribute: string; readonly value?: string | number | boolean | undefined } | undefined;
}

/**
 * Gives a span the attribute by which its concept is known, with the value of the house's own, which stays. A span that has it already keeps
 * it, so of several rules for one concept the first that fits decides. `attributeOf` names the attribute of a concept.
 */
export function createGenaiMapping(rules: readonly MappingRule[], attributeOf: (concept: string) => string): (item: Item) => void {
  const changes = rules.map((rule) => changeOf(rule, attributeOf(rule.concept ?? "")));
  return (item) => {
    for (const change of changes) change(item);
  };
}

function changeOf({ attribute, when }: MappingRule, target: string): (item: Item) => void {
  const findSource = attributeFinder(attribute);
  const findTarget = attributeFinder(target);
  const applies = when === undefined ? undefined : pairTest({ key: when.attribute, value: when.value }, false);
  return ({ attributes }) => {
    const source = findSource(attributes);
    if (source < 0 || findTarget(attributes) >= 0 || applies?.(attributes) === false) return;
    attributes.copyValue(source, attributes.append(target));
  };
}

import { CONCEPTS } from "../../model/concept.ts";
import { oneOf, scalar, text } from "../scalars.ts";
import { checked, field, list, optional, type Section, section } from "../shape.ts";

const whenFields = section({
  attribute: field(text, ""),
  value: optional(scalar),
});

const ruleFields = {
  /** Where a house dialect keeps the concept. */
  attribute: field(text, ""),
  concept: optional(oneOf(...CONCEPTS)),
  /** Only on spans where this attribute is there, or has this value. */
  when: optional(whenFields),
};

const fields = {
  /** Asked in order; the first whose attribute is there gives a span its concept. */
  rules: field(list(section(ruleFields)), [] as readonly Section<typeof ruleFields>[]),
};

export const genaiMapping = checked(section(fields), ({ rules }: Section<typeof fields>, say) => {
  if (rules.length === 0) say('missing required field "rules"');
  for (const [i, { attribute, concept, when }] of rules.entries()) {
    if (attribute === "") say(`rules::${i}: missing required field "attribute"`);
    if (concept === undefined) say(`rules::${i}: missing required field "concept" (valid values: ${CONCEPTS.join(", ")})`);
    if (when?.attribute === "") say(`rules::${i}::when: missing required field "attribute"`);
  }
});

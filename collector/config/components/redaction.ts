import { bool, oneOf, pattern, text } from "../scalars.ts";
import { checked, field, list, type Section, section } from "../shape.ts";

const PII = ["email", "phone", "iban", "credit_card", "ip"] as const;

const patternFields = section({
  /** Stands in the place of what is found, and in the metric's label. */
  name: field(text, ""),
  regex: field(pattern, ""),
});

const fields = {
  /** Credentials, found by the beginnings that their issuers gave them. */
  secrets: field(bool, true),
  /** Data about people; opt-in, because each kind is found in innocent numbers, too. */
  pii: field(list(oneOf(...PII)), [] as readonly (typeof PII)[number][]),
  patterns: field(list(patternFields), [] as readonly ReturnType<typeof patternFields>[]),
  /** Whether prompts, answers, instructions and arguments of tools are stored at all. */
  capture_content: field(bool, true),
  /** Attributes whose values stay as they are. */
  allow: field(list(text), [] as readonly string[]),
};

const NAME = /^[A-Za-z0-9_-]{1,32}$/;

export const redaction = checked(section(fields), ({ patterns }: Section<typeof fields>, say) => {
  for (const [i, { name, regex }] of patterns.entries()) {
    if (!NAME.test(name)) say(`patterns::${i}: "name" must be 1 to 32 letters, digits, _ or -`);
    if (regex === "") say(`patterns::${i}: missing required field "regex"`);
    if (patterns.findIndex((other) => other.name === name) < i) say(`patterns::${i}: duplicate name "${name}"`);
  }
});

import { entityOf, namingOf, type Subject } from "./subject.ts";

/** Of a shorter name one cannot say that a text means it, unless the text is nothing else. */
const MIN_WORD_CHARS = 4;

/** Whether a text speaks of the subject: it is its name, or holds it between other words. */
export function holdsName(text: string, { value }: Subject): boolean {
  if (text === value) return true;
  if (value.length < MIN_WORD_CHARS) return false;
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1))
    if (!isWordChar(text.charAt(at - 1)) && !isWordChar(text.charAt(at + value.length))) return true;
  return false;
}

const isWordChar = (char: string): boolean => /^[\p{L}\p{N}]$/u.test(char);

/** Whether a pattern in RE2's syntax looks for the subject's name, with its punctuation escaped or not. */
export function patternHoldsName(pattern: string, subject: Subject): boolean {
  const words = pattern.replace(/\\(.)/gsu, (_, char: string) => (isWordChar(char) ? " " : char));
  const bare = words.replace(/^(?:\(\?[a-zA-Z]+\)|[\^(\s])+|[$)\s]+$/g, "");
  return [pattern, words, bare].some((text) => holdsName(text, subject));
}

/** Keys of the filter grammar that select by a subject, with the value that means it. */
function keysOf(subject: Subject): ReadonlyMap<string, string> {
  const { kind, value } = subject;
  if (kind !== "entity") return new Map([[kind, value]]);
  const { id } = entityOf(subject);
  return new Map([["entity", value], ...["lesson", "attr.genspan.entity.id"].map((key) => [key, id] as const)]);
}

const ATTRIBUTE = "attr.";

/**
 * A filter without the conditions that name the subject. Undefined where rows were asked for by that name alone: without it the filter would select what
 * belongs to others. Leaving a subject out (`-user=`) needs no condition once nothing of it is there.
 */
export function filterWithout(filter: string, subject: Subject): string | undefined {
  const conditions = [...new URLSearchParams(filter)];
  const keys = keysOf(subject);
  const naming = namingOf(subject);
  const isName = naming === undefined ? undefined : new RegExp(naming.attributes, "i");
  const isNamed = ([written, value]: readonly [string, string]): boolean => {
    const key = written.replace(/^-/, "");
    return (
      keys.get(key) === value ||
      (key.startsWith(ATTRIBUTE) && value === subject.value && isName?.test(key.slice(ATTRIBUTE.length)) === true)
    );
  };
  if (conditions.some(([key, value]) => key === "q" && holdsName(value, subject))) return undefined;
  const kept = conditions.filter((condition) => !isNamed(condition));
  if (kept.length === conditions.length) return filter;
  const isLost = ([key]: readonly [string, string]): boolean => !key.startsWith("-") && !kept.some(([other]) => other === key);
  return conditions.some((condition) => isNamed(condition) && isLost(condition)) ? undefined : new URLSearchParams(kept).toString();
}

/**
 * Characters that a sender may write as an escape of JSON: all beyond ASCII (Python, PHP), what JSON must escape, and what some serializers escape for the
 * sake of HTML (Go, .NET, PHP). Letters and digits of ASCII are never among them: so what signatures know of a word stands in every form of it.
 */
const ESCAPABLE = /["\\/<>&'+`\p{Cc}\u{80}-\u{10ffff}]/u;
const ESCAPABLES = new RegExp(ESCAPABLE, "gu");
const NOT_LITERAL = /[.*+?^${}()|[\]\\]/g;
/** More than one where a string of JSON stands within another, as arguments of tool calls do. */
const BACKSLASHES = "\\\\+";
const MAYBE_BACKSLASHES = "\\\\*";

export interface EscapedWord {
  /** The longest part of the word, in lower case, that stands in every form of it; empty if there is none. */
  readonly plain: string;
  /** Finds the word in lower-cased text, as it is or as strings of JSON hold it: an advanced regular expression of PostgreSQL. */
  readonly pattern: string;
}

/** How a word may stand in texts. Undefined for one that stands as it is in all of them. */
export function escapedWord(word: string): EscapedWord | undefined {
  if (!ESCAPABLE.test(word)) return undefined;
  const plain = word.split(ESCAPABLES).reduce((longest, part) => (part.length > longest.length ? part : longest), "");
  return { plain: plain.toLowerCase(), pattern: Array.from(word, patternOf).join("") };
}

function patternOf(char: string): string {
  if (!ESCAPABLE.test(char)) return literal(char.toLowerCase());
  const forms = casesOf(char);
  const escapes = forms.filter((form) => ESCAPABLE.test(form)).map(escapeOf);
  return `(?:${[...forms.map(unescapedPattern), ...escapes, ...(char === "\b" ? [`${BACKSLASHES}b`] : [])].join("|")})`;
}

/** A character and what it is in other cases. Folding a text under the collation "C" leaves all but ASCII as it was. */
function casesOf(char: string): string[] {
  const [lower, upper] = [char.toLowerCase(), char.toUpperCase()];
  const cases = [char, lower, upper, upper.toLowerCase(), lower.toUpperCase()];
  return [...new Set(cases.map((text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())))];
}

function unescapedPattern(text: string): string {
  if (text === "\\") return BACKSLASHES;
  return text === '"' || text === "/" ? `${MAYBE_BACKSLASHES}${text}` : literal(text);
}

const literal = (text: string): string => text.replace(NOT_LITERAL, "\\$&");

/** Each unit of UTF-16 by itself, as RFC 8259, section 7, has it: emoji are two. */
const escapeOf = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => `${BACKSLASHES}u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");

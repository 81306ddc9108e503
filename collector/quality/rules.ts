import { RE2JS } from "re2js";

/** Where a rule looks. */
export const RULE_TARGETS = ["output", "reasoning"] as const;
export type RuleTarget = (typeof RULE_TARGETS)[number];

/** A user's rule: a pattern in RE2's syntax, which takes linear time on any text. */
export interface QualityRule {
  /** Also the issue that it notes. */
  readonly name: string;
  readonly target: RuleTarget;
  readonly pattern: string;
}

/** What is known of a finished model call. */
export interface Judged {
  readonly output: string;
  readonly reasoning: string;
  readonly finishReason: string | null;
  /** False where the application sends no content: then nothing can be said of it. */
  readonly hasContent: boolean;
}

/** An issue that a rule saw. */
export interface Finding {
  readonly issue: string;
  readonly target: RuleTarget;
  /** What it saw, cut to a few words; empty where the finish reason says it. */
  readonly excerpt: string;
}

/** Judges one call. */
export type Judge = (call: Judged) => Finding[];

const EXCERPT_CHARS = 120;
/** Patterns look at the beginning of a text alone; a megabyte of output has shown by then what it is. */
const MAX_TEXT_CHARS = 100_000;
/** A refusal stands at the beginning of an answer; further on, the words are those of the content. */
const REFUSAL_CHARS = 300;

const REFUSAL = RE2JS.compile(
  [
    String.raw`\bI(?: a|'|’)m (?:sorry|unable|not able)\b`,
    String.raw`\bI (?:cannot|can't|can’t|won't|won’t|am not allowed to|must decline)\b`,
    String.raw`\bas an AI(?: language)? model\b`,
    String.raw`\b(?:es )?tut mir leid, (?:aber )?(?:das|ich|dabei)\b`,
    String.raw`\bich kann (?:dir|Ihnen|euch)?\s*(?:dabei |damit |das )?(?:leider )?nicht\b`,
    String.raw`\bje (?:suis désolée?|ne peux pas)\b`,
    String.raw`\blo siento\b`,
    String.raw`\bhet spijt me\b`,
  ].join("|"),
  RE2JS.CASE_INSENSITIVE,
);
const DOUBT = RE2JS.compile(
  String.raw`\bI(?: a|'|’)m (?:not (?:entirely |quite )?sure|guessing|unsure)\b|\b(?:just|only) guess(?:ing)?\b|\bI (?:don't|don’t|do not) know\b|\b(?:two|both|several) answers? (?:are|could be|might be) correct\b|\bich bin (?:mir )?(?:nicht|un)\s?sicher\b`,
  RE2JS.CASE_INSENSITIVE,
);
const CUT_OFF_REASONS = new Set(["length", "max_tokens", "max_output_tokens", "incomplete"]);
const REFUSED_REASONS = new Set(["content_filter", "refusal", "safety", "blocklist", "prohibited_content"]);

/** The rules that need no pattern of the user's, with what they look for. */
export const BUILT_IN_RULES: Readonly<Record<string, string>> = {
  refusal: "the answer begins as models decline, or the provider's filter ended it",
  cut_off: "the model stopped at its token limit, or the answer is JSON that breaks off",
  empty_output: "the call succeeded without any answer",
  unsure_reasoning: "the reasoning says that it guesses, or that several answers are right",
};

/** Compiles rules. Throws RE2JSSyntaxException for a pattern that is none. */
export function createJudge(rules: readonly QualityRule[]): Judge {
  const compiled = rules.map((rule) => ({ ...rule, regex: RE2JS.compile(rule.pattern) }));
  return (call) => {
    if (!call.hasContent) return reasonsOf(call.finishReason);
    const found = [...builtIn(call)];
    for (const { name, target, regex } of compiled) {
      const excerpt = firstMatch(regex, call[target].slice(0, MAX_TEXT_CHARS));
      if (excerpt !== undefined) found.push({ issue: name, target, excerpt });
    }
    return [...new Map(found.map((finding) => [finding.issue, finding])).values()];
  };
}

function reasonsOf(finishReason: string | null): Finding[] {
  const reasons = (finishReason ?? "").toLowerCase().split(",");
  return [
    ...(reasons.some((reason) => REFUSED_REASONS.has(reason)) ? [{ issue: "refusal", target: "output", excerpt: "" } as const] : []),
    ...(reasons.some((reason) => CUT_OFF_REASONS.has(reason)) ? [{ issue: "cut_off", target: "output", excerpt: "" } as const] : []),
  ];
}

function builtIn({ output, reasoning, finishReason }: Judged): Finding[] {
  const refusal = firstMatch(REFUSAL, output.slice(0, REFUSAL_CHARS));
  const doubt = firstMatch(DOUBT, reasoning.slice(0, MAX_TEXT_CHARS));
  const calledTools = /tool|function/.test(finishReason ?? "");
  return [
    ...reasonsOf(finishReason),
    ...(refusal === undefined ? [] : [{ issue: "refusal", target: "output", excerpt: refusal } as const]),
    ...(breaksOff(output) ? [{ issue: "cut_off", target: "output", excerpt: output.slice(-EXCERPT_CHARS) } as const] : []),
    ...(output.trim() === "" && !calledTools ? [{ issue: "empty_output", target: "output", excerpt: "" } as const] : []),
    ...(doubt === undefined ? [] : [{ issue: "unsure_reasoning", target: "reasoning", excerpt: doubt } as const]),
  ];
}

/** JSON that opens more than it closes; strings are passed over. */
function breaksOff(output: string): boolean {
  const text = output.trim();
  if (!/^[[{]/.test(text)) return false;
  let open = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character === "\\") i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") open++;
    else if (character === "}" || character === "]") open--;
  }
  return quoted || open > 0;
}

/** The match with a few words around it. */
function firstMatch(regex: RE2JS, text: string): string | undefined {
  const matcher = regex.matcher(text);
  if (!matcher.find()) return undefined;
  const from = Math.max(0, matcher.start() - EXCERPT_CHARS / 4);
  return text.slice(from, from + EXCERPT_CHARS).trim();
}

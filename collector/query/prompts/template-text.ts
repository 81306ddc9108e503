import { hash } from "node:crypto";
import { readableMessages } from "../../model/readable-messages.ts";

/** What one call shows of the template that made its prompt. */
export interface PromptSample {
  readonly prompt_full_text: string | null;
  readonly prompt_format: string | null;
  readonly system_instructions: string | null;
  readonly prompt_variables: unknown;
}

/** Variables shorter than this stand in a text by chance. */
const MIN_VARIABLE_CHARS = 3;

/** Whether a call's text is its template and its inputs in one: nothing tells them apart. */
const holdsInputs = (sample: PromptSample): boolean =>
  sample.system_instructions === null && systemMessage(sample) === undefined && sample.prompt_variables === null;

/** The text of the template as far as a call shows it: its system instructions, else its prompt with the values of variables taken out. */
export function templateText(sample: PromptSample): string | undefined {
  const { system_instructions: own, prompt_full_text: prompt, prompt_format: format } = sample;
  const messages = own ?? systemMessage(sample) ?? (format === "messages" ? prompt : null);
  // Values of variables stand in messages as JSON writes them: they are found in the text that it means.
  const text = messages === null ? prompt : readableMessages(messages);
  return text === null ? undefined : withoutVariables(text, sample.prompt_variables);
}

function systemMessage({ prompt_full_text: text, prompt_format: format }: PromptSample): string | undefined {
  if (format !== "messages" || text === null) return undefined;
  const messages = parsed(text);
  if (!Array.isArray(messages)) return undefined;
  const system = messages.filter((message: { role?: unknown } | null) => message?.role === "system" || message?.role === "developer");
  return system.length === 0 ? undefined : JSON.stringify(system);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Longer values first, so that one inside another is not taken apart. */
function withoutVariables(text: string, variables: unknown): string {
  if (typeof variables !== "object" || variables === null) return text;
  const values = Object.entries(variables).map(
    ([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const,
  );
  return values
    .filter(([, value]) => value.length >= MIN_VARIABLE_CHARS)
    .toSorted(([, a], [, b]) => b.length - a.length)
    .reduce((all, [name, value]) => all.replaceAll(value, `{{${name}}}`), text);
}

export interface Drift {
  /** Different template texts among the looked-at calls. */
  readonly texts: number;
  /** True: one version was used with several texts. Null: its inputs are in the texts, as nearly every call has one of its own, or as they come again and again by turns. */
  readonly drift: boolean | null;
}

/** Whether calls of one version share their template text; `samples` in the order of time. */
export function driftOf(samples: readonly PromptSample[]): Drift {
  const texts = samples.map(templateText).filter((text) => text !== undefined);
  const changes = texts.filter((text, i) => i > 0 && text !== texts[i - 1]).length;
  const distinct = new Set(texts.map((text) => hash("sha256", text, "base64url"))).size;
  if (texts.length === 0) return { texts: 0, drift: null };
  if (distinct === 1) return { texts: 1, drift: false };
  const ownTexts = texts.length > 3 && distinct > texts.length / 2;
  const byTurns = changes >= distinct && samples.some(holdsInputs);
  return { texts: distinct, drift: ownTexts || byTurns ? null : true };
}

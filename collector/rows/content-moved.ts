import {
  GEN_AI_INPUT_MESSAGES,
  GEN_AI_OUTPUT_MESSAGES,
  GEN_AI_SYSTEM_INSTRUCTIONS,
  GEN_AI_TOOL_DEFINITIONS,
} from "../../sdk/attributes.ts";

/**
 * spans.content_moved: which attributes a generation row holds instead of the span, as bits. What answers OTLP, Jaeger or Tempo
 * reads it to put them back. The same bit shifted by STRUCTURED_SHIFT says that the value was structured, not a JSON string.
 */
export const MOVED = [
  { bit: 1, attribute: GEN_AI_INPUT_MESSAGES, column: "prompt_full_text" },
  { bit: 2, attribute: GEN_AI_OUTPUT_MESSAGES, column: "response_full_text" },
  { bit: 4, attribute: GEN_AI_SYSTEM_INSTRUCTIONS, column: "system_instructions" },
  { bit: 8, attribute: GEN_AI_TOOL_DEFINITIONS, column: "tool_definitions" },
] as const;

export const MOVED_INPUT = 1;
export const MOVED_OUTPUT = 2;
export const MOVED_SYSTEM = 4;
export const MOVED_TOOLS = 8;
export const STRUCTURED_SHIFT = 4;

/** The prompt was one plain text, which stands in the row as itself: on the span it was the only part of one user message. */
export const MOVED_INPUT_TEXT = 256;

const BEFORE_TEXT = '[{"role":"user","parts":[{"type":"text","content":';
const AFTER_TEXT = "}]}]";

/** The messages that a plain text stands for. */
export const messagesOfText = (text: string): string => `${BEFORE_TEXT}${JSON.stringify(text)}${AFTER_TEXT}`;

/** The plain text that messages stand for; undefined where putting it back would not give the same messages again. */
export function textOfMessages(messages: string): string | undefined {
  if (!messages.startsWith(BEFORE_TEXT) || !messages.endsWith(AFTER_TEXT)) return undefined;
  try {
    const text: unknown = JSON.parse(messages.slice(BEFORE_TEXT.length, -AFTER_TEXT.length));
    return typeof text === "string" && messagesOfText(text) === messages ? text : undefined;
  } catch {
    return undefined;
  }
}

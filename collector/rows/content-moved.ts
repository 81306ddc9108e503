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

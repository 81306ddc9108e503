import type { AttributeValue } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import type { DeferredText } from "./deferred-text.ts";

const CONTENT: ReadonlySet<string> = new Set([
  A.GEN_AI_INPUT_MESSAGES,
  A.GEN_AI_OUTPUT_MESSAGES,
  A.GEN_AI_SYSTEM_INSTRUCTIONS,
  A.GEN_AI_TOOL_DEFINITIONS,
  A.GEN_AI_TOOL_CALL_ARGUMENTS,
  A.GEN_AI_TOOL_CALL_RESULT,
  A.GENSPAN_IMAGE_REQUEST,
  A.GENSPAN_IMAGE_RESPONSE,
]);

/** A text of this length is content whatever its name: instrumentations have many names for it. */
const LONG_TEXT = 1_024;

/** Our own records of runs are made of one long text of figures, which is no content. */
const FIGURES: ReadonlySet<string> = new Set([A.GENSPAN_RUN_SUMMARY]);

/** Whether an attribute holds content: what is given up first when the queue is full. */
export const isContent = (name: string, value: AttributeValue | DeferredText | undefined): boolean =>
  CONTENT.has(name) || (typeof value === "string" && value.length > LONG_TEXT && !FIGURES.has(name));

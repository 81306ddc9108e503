import { CONCEPT, type Concept } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed } from "./flattened.ts";
import { builtOf, conceptNumber, type GenerationDraft, hasConcept, withdraw } from "./generation-draft.ts";

/** Says in additional_metadata of a row that its usage is that of a wrapper. */
export const USAGE_OF_WRAPPER = "usage_of_wrapper";

const COUNTS = ["inputTokens", "outputTokens", "totalTokens"] as const satisfies readonly Concept[];
/** Usage as JSON, which is read only when it is needed. */
const COUNTS_IN_JSON = ["langfuse.observation.usage_details", "mlflow.chat.tokenUsage"];

/** Whether it is worth while to read a wrapper to its end. Records of ours tell of usage only as updates of something else. */
export function mayTellUsage(view: SpanView, draft: GenerationDraft): boolean {
  if (hasConcept(draft, "record") || (view.endTime.lo | view.endTime.hi) === 0) return false;
  return COUNTS.some((concept) => hasConcept(draft, concept)) || COUNTS_IN_JSON.some((name) => attributeNamed(view, name) !== undefined);
}

const CONTENT = ["inputMessages", "outputMessages", "systemInstructions", "toolDefinitions"] as const satisfies readonly Concept[];

/**
 * Leaves of a wrapper what its row needs if it is counted: usage, model, times, references. Content stays on its span, since it was sent to an agent and to no
 * model. False where it tells of no tokens.
 */
export function keepUsageOnly(view: SpanView, draft: GenerationDraft): boolean {
  if (!COUNTS.some((concept) => (conceptNumber(view, draft, concept) ?? 0) > 0)) return false;
  for (const concept of CONTENT) withdraw(draft, concept);
  // A dialect that has no name for it takes everything for a chat.
  if (draft.attribute[CONCEPT.operation]! < 0) withdraw(draft, "operation");
  const built = builtOf(draft);
  delete built.prompt;
  delete built.response;
  delete built.reasoning;
  built.metadata = { ...built.metadata, [USAGE_OF_WRAPPER]: true };
  return true;
}

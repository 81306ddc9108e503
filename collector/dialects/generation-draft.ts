import { CONCEPT_SLOTS } from "../model/concept.ts";

/** Content that a dialect had to build, because the span does not carry it in the shape of a column. */
export interface BuiltContent {
  prompt?: { readonly text: string; readonly format: "text" | "messages" };
  systemInstructions?: string;
  response?: { readonly text: string; readonly format: "text" | "messages" };
  finishReason?: string;
  errorMessage?: string;
  errorType?: string;
  errorTraceback?: string;
}

/**
 * What a dialect found on one span. Values stay where they are: a concept names the attribute that carries it.
 * Reused from span to span.
 */
export interface GenerationDraft {
  dialect: string;
  /** Attribute index by concept number; -1 where the span has none. */
  readonly attribute: Int32Array;
  /** Priority of the chosen attribute by concept number; smaller wins. */
  readonly priority: Uint8Array;
  /** Attribute indexes of model parameters that have no column. */
  readonly parameters: number[];
  /** Attribute indexes of prompt variables. */
  readonly variables: number[];
  built: BuiltContent | undefined;
}

export function createGenerationDraft(): GenerationDraft {
  return {
    dialect: "",
    attribute: new Int32Array(CONCEPT_SLOTS).fill(-1),
    priority: new Uint8Array(CONCEPT_SLOTS),
    parameters: [],
    variables: [],
    built: undefined,
  };
}

export function clearDraft(draft: GenerationDraft): void {
  draft.attribute.fill(-1);
  draft.parameters.length = 0;
  draft.variables.length = 0;
  draft.built = undefined;
}

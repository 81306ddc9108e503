import { CONCEPT, CONCEPT_SLOTS, type Concept } from "../model/concept.ts";
import { VALUE_STRING } from "../otlp/attribute-list.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { numberOf } from "./json.ts";
import type { Message } from "./messages.ts";

/** Text of a prompt or response: messages as JSON in the shape of the current conventions, or plain text. */
export interface BuiltContent {
  /** JSON of messages is made when it is asked for. */
  readonly text: string;
  readonly format: "text" | "messages";
  /** What the text says, where it was made here. */
  readonly messages?: readonly Message[];
}

export type Scalar = string | number | boolean;

/** What a dialect had to make, because the span does not carry it in the shape of a column. Attributes win over all of it. */
export interface Built {
  prompt?: BuiltContent;
  response?: BuiltContent;
  reasoning?: string;
  errorMessage?: string;
  errorTraceback?: string;
  /** How long the call took, where the times of the span do not tell. */
  durationMillis?: number;
  /** Concepts as values. */
  scalars?: Map<number, Scalar>;
  /** Model parameters without a column, prompt variables, and anything else worth keeping, by name. */
  parameters?: Record<string, unknown>;
  variables?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

/**
 * What the dialects found on one span. Values stay where they are: a concept names the attribute that carries it.
 * Reused from span to span.
 */
export interface GenerationDraft {
  dialect: string;
  /** Attribute index by concept number; -1 where the span has none. */
  readonly attribute: Int32Array;
  /** Rank of the chosen attribute by concept number; smaller wins. */
  readonly rank: Uint16Array;
  /** Attribute indexes of model parameters that have no column. */
  readonly parameters: number[];
  /** Attribute indexes of prompt variables. */
  readonly variables: number[];
  /** The emitter counts cached tokens outside of its input tokens. */
  cacheOutsideInput: boolean;
  /** The emitter counts reasoning tokens outside of its output tokens. */
  reasoningOutsideOutput: boolean;
  /** Token counts were computed by the emitter, not reported by the provider. */
  tokensEstimated: boolean;
  /** A placeholder stands where content was: the emitter hides it. */
  contentRedacted: boolean;
  /** The span wraps calls: its row keeps no content, so none is made. */
  wraps: boolean;
  /** The events of the span were read: once is enough, whichever dialect asks first. */
  eventsRead: boolean;
  built: Built | undefined;
  /** Where built values came from, by concept name or content column; for people who ask. */
  readonly origins: Map<string, string>;
}

export function createGenerationDraft(): GenerationDraft {
  return {
    dialect: "",
    attribute: new Int32Array(CONCEPT_SLOTS).fill(-1),
    rank: new Uint16Array(CONCEPT_SLOTS),
    parameters: [],
    variables: [],
    cacheOutsideInput: false,
    reasoningOutsideOutput: false,
    tokensEstimated: false,
    contentRedacted: false,
    wraps: false,
    eventsRead: false,
    built: undefined,
    origins: new Map(),
  };
}

export function clearDraft(draft: GenerationDraft): void {
  draft.attribute.fill(-1);
  draft.parameters.length = 0;
  draft.variables.length = 0;
  draft.cacheOutsideInput = false;
  draft.reasoningOutsideOutput = false;
  draft.tokensEstimated = false;
  draft.contentRedacted = false;
  draft.wraps = false;
  draft.eventsRead = false;
  draft.built = undefined;
  if (draft.origins.size > 0) draft.origins.clear();
}

export const builtOf = (draft: GenerationDraft): Built => {
  draft.built ??= {};
  return draft.built;
};

export const hasConcept = (draft: GenerationDraft, concept: Concept): boolean =>
  draft.attribute[CONCEPT[concept]]! >= 0 || draft.built?.scalars?.has(CONCEPT[concept]) === true;

/** Text of a concept, from its attribute or as built. */
export function conceptText(view: SpanView, draft: GenerationDraft, concept: Concept): string | undefined {
  const index = draft.attribute[CONCEPT[concept]]!;
  if (index >= 0) return view.attributes.kinds[index] === VALUE_STRING ? view.attributes.textFromSet(index) : undefined;
  const value = draft.built?.scalars?.get(CONCEPT[concept]);
  return typeof value === "string" ? value : undefined;
}

/** A concept as a number, from its attribute or as built; decimal text counts. */
export function conceptNumber(view: SpanView, draft: GenerationDraft, concept: Concept): number | undefined {
  const index = draft.attribute[CONCEPT[concept]]!;
  const value = index < 0 ? draft.built?.scalars?.get(CONCEPT[concept]) : (view.attributes.number(index) ?? view.attributes.text(index));
  return numberOf(value);
}

/** Sets a concept that the span does not have yet; undefined and "" set nothing. `origin` names the attribute it was taken from. */
export function supply(draft: GenerationDraft, concept: Concept, value: Scalar | undefined, origin: string): void {
  if (value === undefined || value === "" || hasConcept(draft, concept)) return;
  override(draft, concept, value, origin);
}

/** Sets a concept over what an attribute says: for values whose attribute has another unit or meaning in this dialect. */
export function override(draft: GenerationDraft, concept: Concept, value: Scalar, origin: string): void {
  const built = builtOf(draft);
  built.scalars ??= new Map();
  built.scalars.set(CONCEPT[concept], value);
  draft.attribute[CONCEPT[concept]] = -1;
  draft.origins.set(concept, origin);
}

/** Forgets a concept: its attribute does not mean it in this dialect. */
export function withdraw(draft: GenerationDraft, concept: Concept): void {
  draft.attribute[CONCEPT[concept]] = -1;
  draft.built?.scalars?.delete(CONCEPT[concept]);
}

/** Whether prompt or response are still to be found. */
export const lacksContent = (draft: GenerationDraft, which: "prompt" | "response"): boolean =>
  !draft.wraps &&
  draft.attribute[which === "prompt" ? CONCEPT.inputMessages : CONCEPT.outputMessages]! < 0 &&
  draft.built?.[which] === undefined;

/** Sets prompt or response unless an attribute of the conventions or an earlier dialect has it; what costs something to make is made only then. */
export function supplyContent(
  draft: GenerationDraft,
  which: "prompt" | "response",
  content: BuiltContent | (() => BuiltContent | undefined) | undefined,
  origin: string,
): void {
  if (content === undefined || !lacksContent(draft, which)) return;
  const made = typeof content === "function" ? content() : content;
  if (made === undefined) return;
  builtOf(draft)[which] = made;
  draft.origins.set(which, origin);
}

/** Sets a text that has no concept of its own, unless an earlier dialect has it. */
export function supplyTextOf(draft: GenerationDraft, field: TextField, value: string | undefined, origin: string): void {
  if (value === undefined || draft.built?.[field] !== undefined) return;
  builtOf(draft)[field] = value;
  draft.origins.set(field, origin);
}

export const TEXT_FIELDS = ["reasoning", "errorMessage", "errorTraceback"] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

/** Adds model parameters that have no concept of their own; the first source of a name wins. */
export function supplyParameters(draft: GenerationDraft, parameters: Record<string, unknown>): void {
  const built = builtOf(draft);
  built.parameters = { ...parameters, ...built.parameters };
}

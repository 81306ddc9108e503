import type { Concept } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { GenerationDraft } from "./generation-draft.ts";

/**
 * What a span is to the counting of model calls. `call`: one model call of its own. `pending`: the announcement of a call that still runs,
 * about its parent span. `wrapper`: anything around calls (agents, workflows, tools, retrieval), never counted.
 */
export type SpanRole = "call" | "pending" | "wrapper";

/**
 * The same as read from a whole span. `wrapper-with-usage`: a wrapper that tells how many tokens what it wraps has used. That counts only where no call
 * below it tells of usage itself (dialect-traps 1), which one span cannot know.
 */
export type ReadRole = SpanRole | "wrapper-with-usage";

/** One way in which software tells of its model calls. Pure: reads the view, fills the draft. */
export interface Dialect {
  /** As stored in generation_logs.dialect. */
  readonly name: string;
  /**
   * Attribute names that speak for this dialect; a name that ends in "." or ":" stands for all names that begin so. A span without any of
   * them is not even looked at.
   */
  readonly signs: readonly string[];
  /** Names of instrumentation scopes that speak for this dialect, for frameworks whose attributes are those of the conventions. */
  readonly scopes?: readonly string[];
  /** Where the dialect keeps each concept, best source first; only values that have the meaning and unit of the concept as they stand. */
  readonly sources: { readonly [K in Concept]?: readonly string[] };
  /** What the span is, or undefined where this dialect does not know. The concepts of all dialects are collected already. */
  classify(view: SpanView, draft: GenerationDraft): SpanRole | undefined;
  /**
   * Adds what no attribute carries in the shape of a concept: flattened or foreign messages, counts within JSON, other units. Runs for every
   * dialect of which the span has signs, the one that classified it first; what is there already stays unless the dialect knows better.
   */
  complete?(view: SpanView, draft: GenerationDraft): void;
}

import type { SpanView } from "../otlp/span-view.ts";
import type { GenerationDraft } from "./generation-draft.ts";

/** One way in which software tells of its model calls. Pure: reads the view, fills the draft. */
export interface Dialect {
  /** As stored in generation_logs.dialect. */
  readonly name: string;
  /** Set in the key table for every key that speaks for this dialect: a span without one is not even looked at. */
  readonly bit: number;
  /** True when the span is one model call of this dialect; the draft is then complete. */
  read(view: SpanView, draft: GenerationDraft): boolean;
}

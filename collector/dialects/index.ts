import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import type { GenerationDraft } from "./generation-draft.ts";
import { semconv } from "./semconv.ts";

/** In order of trust: the first that recognises a span as a model call reads it. */
const DIALECTS: readonly Dialect[] = [semconv];

/** Fills `draft` when the span is one model call. */
export function readGeneration(view: SpanView, draft: GenerationDraft): boolean {
  const candidates = view.attributes.dialects;
  if (candidates === 0) return false;
  for (const dialect of DIALECTS) {
    if ((candidates & dialect.bit) !== 0 && dialect.read(view, draft)) return true;
  }
  return false;
}

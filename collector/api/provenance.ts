import { explainSpan, type Origin } from "../dialects/explain.ts";
import { transcodeJson } from "../otlp/decode-json.ts";
import { createSpanWalker } from "../otlp/decode-protobuf.ts";
import { createSpanView } from "../otlp/span-view.ts";

/** How a stored span is understood: each value with the attribute that it came from. */
export interface Provenance {
  readonly role: string;
  readonly dialect: string | null;
  readonly origins: readonly Origin[];
}

/** Reads a span again as it was received, from one export request of OTLP/JSON with that span alone. */
export function provenanceOf(otlpJson: string): Provenance {
  const view = createSpanView();
  const walker = createSpanWalker(view);
  walker.open(transcodeJson(Buffer.from(otlpJson), "traces"));
  for (let found = walker.next(); found !== "end"; found = walker.next()) {
    if (found === "broken") continue;
    const { role, dialect, origins } = explainSpan(view);
    return { role, dialect: dialect ?? null, origins: origins.map((origin) => ({ ...origin, concept: origin.concept })) };
  }
  return { role: "other", dialect: null, origins: [] };
}

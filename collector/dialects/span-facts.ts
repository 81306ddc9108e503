import { createEventView, decodeEvent } from "../otlp/decode-protobuf.ts";
import type { Halves, SpanView } from "../otlp/span-view.ts";
import { startsReduced } from "./content-facts.ts";
import { attributeNamed } from "./flattened.ts";
import { type GenerationDraft, lacksContent, supplyContent } from "./generation-draft.ts";
import { stringOf } from "./json.ts";
import { contentFromText } from "./messages.ts";

/** The span's own name, for dialects that tell their spans apart by it alone. */
export const spanName = ({ arena, nameOffset, nameSize }: SpanView): string =>
  arena.request.toString("utf8", nameOffset, nameOffset + nameSize);

/** Room for one event at a time. */
const event = createEventView(Buffer.alloc(0));

/** Seconds from the start of the span to its first event of this name; undefined where it has none, or one before its start. */
export function secondsToEvent(view: SpanView, name: string): number | undefined {
  event.attributes.arena.request = view.arena.request;
  for (let i = 0; i < view.events.count; i++) {
    decodeEvent(view, i, event);
    if (view.arena.request.toString("utf8", event.nameOffset, event.nameOffset + event.nameSize) !== name) continue;
    const seconds = Number(nanosOf(event.time) - nanosOf(view.startTime)) / 1e9;
    return seconds >= 0 ? seconds : undefined;
  }
  return undefined;
}

const nanosOf = ({ lo, hi }: Halves): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** Content from the first of some attributes that is there: messages where it is JSON, else text. */
export function supplyText(view: SpanView, draft: GenerationDraft, which: "prompt" | "response", names: readonly string[]): void {
  for (const name of names) {
    if (!lacksContent(draft, which)) return;
    const text = stringOf(attributeNamed(view, name));
    if (text !== undefined && !startsReduced(text))
      supplyContent(draft, which, contentFromText(text, which === "prompt" ? "user" : "assistant"), name);
  }
}

import { hash } from "node:crypto";
import { createGenerationDraft, hasConcept } from "../dialects/generation-draft.ts";
import { readGeneration } from "../dialects/index.ts";
import type { PriceBook } from "../model/price.ts";
import { VALUE_STRING } from "../otlp/attribute-list.ts";
import { transcodeJson } from "../otlp/decode-json.ts";
import { createSpanWalker } from "../otlp/decode-protobuf.ts";
import { createSpanView, type LogView } from "../otlp/span-view.ts";
import { encodeGenerationRow } from "./encode-generation.ts";
import type { IngestNotes } from "./ingest-notes.ts";
import type { Origins } from "./origin-cache.ts";
import type { RequestBuilder } from "./request-builder.ts";
import { namesSpan, startMillisOf } from "./row-key.ts";
import { GENERATION_LOGS } from "./table-spec.ts";
import { MARK_CALL, MARK_RECORD } from "./trace-marks.ts";
import { readNumber } from "./values.ts";

/** Log events that are a model call by themselves (Claude Code sends them without a span), and whether they tell of a failure. */
const CALLS: ReadonlyMap<string, { readonly failed: boolean }> = new Map([
  ["claude_code.api_request", { failed: false }],
  ["claude_code.api_error", { failed: true }],
]);

export interface EventCall {
  readonly view: LogView;
  readonly eventName: string;
  /** Identity of the record, 32 hexadecimal digits: a resend has the same. */
  readonly recordId: string;
  readonly builder: RequestBuilder;
  readonly origin: Origins;
  readonly notes: IngestNotes;
  readonly prices: PriceBook;
}

/** An event that names a span speaks of that span's call; one without is a call of its own. */
export const isEventCall = (eventName: string | undefined, view: LogView): boolean =>
  eventName !== undefined && CALLS.has(eventName) && !namesSpan(view.arena.request, view.spanIdOffset, view.spanIdSize);

/** Writes the generation row of the span that the event would have been. Views are made anew: such events are rare. */
export function encodeEventCall(event: EventCall): void {
  const { builder, origin, notes, prices } = event;
  const view = createSpanView();
  const walker = createSpanWalker(view);
  walker.open(transcodeJson(Buffer.from(JSON.stringify(asRequest(event))), "traces"));
  const draft = createGenerationDraft();
  if (walker.next() !== "item" || readGeneration(view, draft) !== "call") return;
  const { projectId, receivedAtMs } = builder;
  const { traceIdOffset, spanIdOffset, startTime: start } = view;
  const key = { projectId, request: view.arena.request, traceIdOffset, spanIdOffset, start, receivedAtMs };
  const context = { key, ...origin, notes, contentMoved: 0, takeMedia: undefined };
  encodeGenerationRow(builder.row(GENERATION_LOGS), { view, draft, context, pending: false, prices });
  if (!hasConcept(draft, "resendCount")) return;
  const traceId = view.arena.request.toString("hex", traceIdOffset, traceIdOffset + 16);
  builder.mark(traceId, MARK_CALL | MARK_RECORD, { millis: startMillisOf(view, receivedAtMs) });
}

/** It ends when the event was written; its ids follow from the prompt or session and from the record, so that the calls of one prompt share a trace. */
function asRequest({ view, eventName, recordId }: EventCall): object {
  const attributes = attributesOf(view);
  const known = new Map(attributes.map(({ key, value }) => [key, value.stringValue ?? value.doubleValue]));
  const group = known.get("prompt.id") ?? known.get("session.id") ?? recordId;
  const { lo, hi } = (view.time.lo | view.time.hi) === 0 ? view.observedTime : view.time;
  const end = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  const took = BigInt(Math.max(0, Math.round(Number(known.get("duration_ms") ?? 0) * 1e6)) || 0);
  const failed = CALLS.get(eventName)?.failed === true;
  const span = {
    traceId: hash("sha256", `event/${group}`, "hex").slice(0, 32),
    spanId: recordId.slice(0, 16),
    name: eventName,
    startTimeUnixNano: String(end > took ? end - took : end),
    endTimeUnixNano: String(end),
    attributes: [
      { key: "span.type", value: { stringValue: "llm_request" } },
      ...attributes,
      ...(failed ? [{ key: "error.type", value: { stringValue: String(known.get("status_code") ?? "error") } }] : []),
    ],
    ...(failed ? { status: { code: 2, message: String(known.get("error") ?? "") } } : {}),
  };
  return { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
}

interface PlainAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly doubleValue?: number };
}

/** Texts and numbers: nothing else is read of such events. */
function attributesOf({ attributes }: LogView): PlainAttribute[] {
  const found: PlainAttribute[] = [];
  for (let i = 0; i < attributes.count; i++) {
    const number = readNumber(attributes, i);
    const key = attributes.name(i);
    if (attributes.kinds[i] === VALUE_STRING) found.push({ key, value: { stringValue: attributes.text(i) ?? "" } });
    else if (number !== undefined) found.push({ key, value: { doubleValue: number } });
  }
  return found;
}

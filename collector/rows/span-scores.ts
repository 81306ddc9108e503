import { EVENT_EVALUATION_RESULT } from "../../sdk/attributes.ts";
import { openInferenceEvaluations } from "../dialects/openinference-evaluations.ts";
import { createEventView, decodeEvent } from "../otlp/decode-protobuf.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { encodeScore, evaluationFacts } from "./encode-score.ts";
import type { RequestBuilder } from "./request-builder.ts";

/** Evaluations that an instrumentation wrote on the judged span itself: as events, or (where the span has to do with models) as attributes. */
export function encodeSpanScores(view: SpanView, builder: RequestBuilder, ofModels: boolean): void {
  if (view.events.count > 0) encodeEvents(view, builder);
  if (!ofModels) return;
  for (const [number, facts] of openInferenceEvaluations(view).entries()) {
    const identity = Buffer.from(JSON.stringify([number, facts]));
    encodeScore(builder, { ...spanOf(view), time: view.endTime, facts, identity });
  }
}

const EVALUATION = Buffer.from(EVENT_EVALUATION_RESULT);

function encodeEvents(view: SpanView, builder: RequestBuilder): void {
  const { request } = view.arena;
  if (!request.subarray(view.start, view.end).includes(EVALUATION)) return;
  const event = createEventView(request);
  for (let i = 0; i < view.events.count; i++) {
    decodeEvent(view, i, event);
    const name = request.toString("utf8", event.nameOffset, event.nameOffset + event.nameSize);
    if (name !== EVENT_EVALUATION_RESULT) continue;
    const identity = request.subarray(view.events.starts[i], view.events.ends[i]);
    const facts = evaluationFacts(event.attributes);
    encodeScore(builder, { ...spanOf(view), time: event.time, facts, identity });
  }
}

const spanOf = ({ arena, traceIdOffset, spanIdOffset }: SpanView) => ({
  request: arena.request,
  traceIdOffset,
  spanIdOffset,
});

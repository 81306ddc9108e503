import type { CallFacts, ScoreFacts } from "./facts.ts";
import type { FoldedCall } from "./fold.ts";

/** A score that is to stand with another span than so far, or of which it is to be noted that it stands where it belongs. */
export interface ScoreMove {
  readonly score: ScoreFacts;
  readonly spanId: string;
}

export interface ScoreEvidence {
  readonly traceId: string;
  readonly calls: readonly CallFacts[];
  readonly scores: readonly ScoreFacts[];
  readonly parents: ReadonlyMap<string, string>;
  readonly apart: ReadonlySet<string>;
}

/**
 * Evaluations stand with the call that is counted. An evaluation speaks of the span that it names; where that is no call, of the call that gave the response it names,
 * else of the call directly above that span, which an evaluator may have made for itself alone. One that nothing of the trace belongs to stays where it is.
 */
export function scoreMoves(evidence: ScoreEvidence, counted: readonly FoldedCall[]): ScoreMove[] {
  if (evidence.scores.length === 0) return [];
  const survivors = new Map(counted.flatMap(({ call, twins }) => [call, ...twins].map((each) => [each.spanId, call.spanId] as const)));
  const judged = judgedSpan(evidence);
  return evidence.scores.flatMap((score) => {
    const span = judged(score);
    const home = span === undefined ? undefined : (survivors.get(span) ?? span);
    const told =
      score.told?.traceId === undefined || score.told.traceId === evidence.traceId ? (score.told?.spanId ?? score.spanId) : score.spanId;
    const spanId = home ?? told;
    const isNews = spanId !== score.spanId || (home !== undefined && score.responseId !== undefined && score.told === undefined);
    return isNews ? [{ score, spanId }] : [];
  });
}

/** Whether a span that a score names is not stored (yet), so that nothing is known of what is above it. */
export function awaitsSpan({ traceId, calls, scores, parents }: ScoreEvidence): boolean {
  const ofCalls = new Set(calls.map(({ spanId }) => spanId));
  const isMissing = (spanId: string): boolean => !ofCalls.has(spanId) && !parents.has(spanId);
  return scores.some(({ spanId, told }) => (told === undefined ? isMissing(spanId) : told.traceId === traceId && isMissing(told.spanId)));
}

function judgedSpan({ traceId, calls, parents, apart }: ScoreEvidence): (score: ScoreFacts) => string | undefined {
  const ofCalls = new Set(calls.map(({ spanId }) => spanId));
  const answered = new Map(
    calls.flatMap(({ responseId, spanId }) => (responseId === undefined ? [] : [[responseId, spanId] as const])).toReversed(),
  );
  return ({ spanId, told, responseId }) => {
    const named = told === undefined ? spanId : told.traceId === traceId ? told.spanId : undefined;
    if (named !== undefined && ofCalls.has(named)) return named;
    const answering = responseId === undefined ? undefined : answered.get(responseId);
    if (answering !== undefined || named === undefined || apart.has(named)) return answering;
    const above = parents.get(named);
    return above !== undefined && ofCalls.has(above) ? above : undefined;
  };
}

import type { CallFacts, ChildSpan, TraceTree } from "./facts.ts";
import { isHttpRequest } from "./http-tries.ts";

export interface RequestEvidence extends Pick<TraceTree, "parents" | "apart"> {
  readonly calls: readonly CallFacts[];
  /** Records of ours and requests over HTTP. */
  readonly children: readonly ChildSpan[];
}

/** Parents can be told in a circle. */
const MAX_DEPTH = 1_000;

/**
 * Requests over HTTP as children of the call that they were made in, where a client's other spans stand between them. A tool's requests are its own, and a request told
 * by two instrumentations, one span below the other, is one.
 */
export function requestsOfCalls({ calls, children, parents, apart }: RequestEvidence): readonly ChildSpan[] {
  const requests = new Set(children.filter(isRequest).map(({ spanId }) => spanId));
  const ofCalls = new Set(calls.map(({ spanId }) => spanId));
  const callOf = (span: ChildSpan): string | undefined => {
    let at = span.parentSpanId;
    for (let depth = 0; at !== "" && depth < MAX_DEPTH; depth++) {
      if (ofCalls.has(at)) return at;
      if (apart.has(at) || requests.has(at)) return undefined;
      at = parents.get(at) ?? "";
    }
    return undefined;
  };
  return children.map((span) => {
    const call = requests.has(span.spanId) ? callOf(span) : undefined;
    return call === undefined || call === span.parentSpanId ? span : { ...span, parentSpanId: call };
  });
}

/** Whether requests may be a call's although their parents are none, so that the spans between are worth reading. */
export const mayHoldRequests = (calls: readonly CallFacts[], children: readonly ChildSpan[]): boolean =>
  apartFrom(calls, children).length > 0;

/** Whether a span is not stored (yet) that stands between a call and a request. */
export const awaitsCall = ({ calls, children, parents }: RequestEvidence): boolean =>
  apartFrom(calls, children).some(({ parentSpanId }) => !parents.has(parentSpanId));

function apartFrom(calls: readonly CallFacts[], children: readonly ChildSpan[]): readonly ChildSpan[] {
  const ofCalls = new Set(calls.map(({ spanId }) => spanId));
  const others = children.filter((span) => isRequest(span) && span.parentSpanId !== "" && !ofCalls.has(span.parentSpanId));
  if (others.length === 0) return [];
  const isIn = ({ startMillis, endMillis = startMillis }: CallFacts, span: ChildSpan): boolean =>
    span.startMillis >= startMillis && span.startMillis <= endMillis;
  return others.filter((span) => !ofCalls.has(span.spanId) && calls.some((call) => isIn(call, span)));
}

const isRequest = (span: ChildSpan): boolean => isHttpRequest(span) && span.attributes["genspan.record"] === undefined;

/** What a request brought for a trace, as bits. */
export const MARK_CALL = 1;
/** Another call of the trace, which may be the first one told again (sibling-calls.ts says when it is not). */
export const MARK_SECOND_CALL = 2;
/** A log event with content of a span. */
export const MARK_EVENT = 8;
/** A record of ours about another span (an attempt, an update), or a call that says how often it was sent. */
export const MARK_RECORD = 16;
/** A request over HTTP: perhaps an attempt of a call. */
export const MARK_HTTP = 32;

/** An image record of ours, or a call that makes images. */
export const MARK_IMAGE = 64;

/**
 * A record that is looked at whatever else is known of its trace: a run, an item, an update of something that came long ago, or a call that names
 * its item.
 */
export const MARK_THING = 128;

/** A wrapper with usage: whether it counts is known by what lies below it. */
export const MARK_WRAPPER = 256;

/** An evaluation. */
export const MARK_SCORE = 512;
/** An evaluation that names the response it judges, which may have been given in any trace. */
export const MARK_SCORE_OF_RESPONSE = 1024;

/** An announcement of a call, which may come after the call was set aside. */
export const MARK_ANNOUNCEMENT = 2048;

/** One trace of one request. */
export interface TraceMark {
  readonly traceId: string;
  readonly bits: number;
  readonly fromMillis: number;
  readonly toMillis: number;
}

/** Two marks of one trace together, whatever their calls are to each other. */
export const joinMarks = (a: TraceMark, b: TraceMark): TraceMark => ({
  traceId: a.traceId,
  bits: a.bits | b.bits,
  fromMillis: Math.min(a.fromMillis, b.fromMillis),
  toMillis: Math.max(a.toMillis, b.toMillis),
});

/** A second mark of a trace on top of a first; two calls are more than one, and so is an announcement that comes after a call. */
export function withMark(before: TraceMark | undefined, mark: TraceMark): TraceMark {
  if (before === undefined) return mark;
  const both = joinMarks(before, mark);
  const isSecond = (before.bits & MARK_CALL) !== 0 && (mark.bits & (MARK_CALL | MARK_ANNOUNCEMENT)) !== 0;
  return isSecond ? { ...both, bits: both.bits | MARK_SECOND_CALL } : both;
}

/** Whether everything known about a trace makes looking at its rows worth while. */
export function needsRefinement(bits: number): boolean {
  // Events and evaluations speak of calls always, and their call may have come long ago through another collector.
  if ((bits & (MARK_IMAGE | MARK_THING | MARK_EVENT | MARK_WRAPPER | MARK_SCORE)) !== 0) return true;
  return (bits & MARK_CALL) !== 0 && (bits & (MARK_SECOND_CALL | MARK_RECORD | MARK_HTTP)) !== 0;
}

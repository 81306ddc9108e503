import { type CallFacts, callKind, keyText, type TraceTree } from "./facts.ts";
import { differ, nestedCalls } from "./nesting.ts";
import { wrapperUsage } from "./wrappers.ts";

/** A counted call and the rows that tell of the same call, best source first. */
export interface FoldedCall {
  readonly call: CallFacts;
  readonly twins: readonly CallFacts[];
}

/** What folding makes of the calls of one trace. */
export interface Folding {
  readonly counted: readonly FoldedCall[];
  /** Rows that are not counted, with the span that is counted instead; undefined for a wrapper of several calls. */
  readonly aside: ReadonlyMap<CallFacts, string | undefined>;
  /** A span that is missing so far may decide otherwise about a wrapper. */
  readonly open: boolean;
}

/**
 * Decides which rows of one trace are model calls of their own. Two rows tell of the same call when they carry the same response id, when one is the only call directly
 * below the other and nothing says that they differ, or when it lies deeper within the other and tells the same. A call with several calls of its kind below it
 * wraps them. The innermost row of a call is counted: it was written by what talked to the provider. A pure function of the set of rows: their order, and what was
 * decided before, do not matter. Source: traps 1 and 2 of the dialects (two instrumentations of one call, wrappers with usage). `tree` has the spans of the
 * trace where calls lie within calls or it has wrappers.
 */
export function foldCalls(all: readonly CallFacts[], tree: TraceTree): Folding {
  const wrapping = wrapperUsage(all, tree.parents);
  const calls = all.filter(({ wraps }) => !wraps);
  const finished = calls.filter((call) => call.status !== "pending").sort(byStart);
  const below = childCalls(finished);
  const nesting = nestedCalls(finished, below, tree);
  const wrappers = new Set(finished.filter((call) => nesting.wrappers.has(call) || wraps(call, below.get(call) ?? [])));
  const directly = [...below].filter(([call]) => !wrappers.has(call));
  const within = new Map<CallFacts, readonly CallFacts[]>([...nesting.same, ...directly]);
  const groups = sameCalls(
    finished.filter((call) => !wrappers.has(call)),
    within,
  );
  const depths = depthsOf(finished, within);
  const aside = new Map<CallFacts, string | undefined>();
  for (const wrapper of wrappers) aside.set(wrapper, undefined);
  const counted: FoldedCall[] = calls.filter((call) => call.status === "pending").map((call) => ({ call, twins: [] }));
  for (const group of groups) {
    const [call, ...twins] = group.toSorted((a, b) => depths.get(b)! - depths.get(a)! || byTrust(a, b)) as [CallFacts, ...CallFacts[]];
    counted.push({ call, twins });
    for (const twin of twins) aside.set(twin, call.spanId);
  }
  for (const wrapper of all.filter(({ wraps }) => wraps)) {
    if (wrapping.counted.has(wrapper)) counted.push({ call: wrapper, twins: [] });
    else aside.set(wrapper, undefined);
  }
  return { counted, aside, open: wrapping.open || nesting.open };
}

const byStart = (a: CallFacts, b: CallFacts): number => a.startMillis - b.startMillis || (keyText(a) < keyText(b) ? -1 : 1);

/** Calls of the same kind directly below each call. */
function childCalls(calls: readonly CallFacts[]): Map<CallFacts, CallFacts[]> {
  const bySpan = new Map(calls.map((call) => [call.spanId, call]));
  const below = new Map<CallFacts, CallFacts[]>();
  for (const call of calls) {
    const parent = call.parentSpanId === undefined ? undefined : bySpan.get(call.parentSpanId);
    if (parent !== undefined && parent !== call && callKind(parent.operation) === callKind(call.operation))
      below.set(parent, [...(below.get(parent) ?? []), call]);
  }
  return below;
}

const wraps = (call: CallFacts, children: readonly CallFacts[]): boolean =>
  children.length > 1 || (children.length === 1 && differ(call, children[0]!));

/** Groups of rows that tell of one call. */
function sameCalls(calls: readonly CallFacts[], within: ReadonlyMap<CallFacts, readonly CallFacts[]>): CallFacts[][] {
  const groups = new Map<CallFacts, CallFacts[]>(calls.map((call) => [call, [call]]));
  const join = (a: CallFacts, b: CallFacts): void => {
    const [one, other] = [groups.get(a)!, groups.get(b)!];
    if (one === other) return;
    one.push(...other);
    for (const call of other) groups.set(call, one);
  };
  const byResponse = new Map<string, CallFacts>();
  for (const call of calls) {
    for (const child of within.get(call) ?? []) if (groups.has(child)) join(call, child);
    if (call.responseId === undefined) continue;
    const first = byResponse.get(call.responseId);
    if (first === undefined) byResponse.set(call.responseId, call);
    else join(first, call);
  }
  return [...new Set(groups.values())];
}

/** How many calls lie around each one that it tells of again. */
function depthsOf(calls: readonly CallFacts[], within: ReadonlyMap<CallFacts, readonly CallFacts[]>): ReadonlyMap<CallFacts, number> {
  const around = new Map([...within].flatMap(([outer, inner]) => inner.map((call) => [call, outer] as const)));
  const depth = (call: CallFacts): number => {
    let found = 0;
    for (let at = around.get(call); at !== undefined && found < calls.length; at = around.get(at)) found++;
    return found;
  };
  return new Map(calls.map((call) => [call, depth(call)]));
}

/** Of rows beside each other: the one that came to an answer, that knows more, then the conventions' own, then the first. */
function byTrust(a: CallFacts, b: CallFacts): number {
  const score = (call: CallFacts): number =>
    Number(call.status === "success") * 16 +
    Number(call.has.has("tokens")) * 8 +
    Number(call.has.has("prompt")) * 4 +
    Number(call.has.has("response")) * 2 +
    Number(call.dialect === "semconv");
  return score(b) - score(a) || byStart(a, b);
}

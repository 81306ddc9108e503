import { type CallFacts, callKind, keyText } from "./facts.ts";
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
 * Decides which rows of one trace are model calls of their own. Two rows tell of the same call when they carry the same response id, or when
 * one is the only call directly below the other and nothing says that they differ. A call with several calls of its kind below it wraps them.
 * The innermost row of a call is counted: it was written by what talked to the provider. A pure function of the set of rows: their order, and
 * what was decided before, do not matter. Source: traps 1 and 2 of the dialects (two instrumentations of one call, wrappers with usage).
 * `parents` has the parents of all spans, by span, where the trace has wrappers.
 */
export function foldCalls(all: readonly CallFacts[], parents: ReadonlyMap<string, string>): Folding {
  const wrapping = wrapperUsage(all, parents);
  const calls = all.filter(({ wraps }) => !wraps);
  const finished = calls.filter((call) => call.status !== "pending").sort(byStart);
  const below = childCalls(finished);
  const wrappers = new Set(finished.filter((call) => wraps(call, below.get(call) ?? [])));
  const groups = sameCalls(
    finished.filter((call) => !wrappers.has(call)),
    below,
  );
  const aside = new Map<CallFacts, string | undefined>();
  for (const wrapper of wrappers) aside.set(wrapper, undefined);
  const counted: FoldedCall[] = calls.filter((call) => call.status === "pending").map((call) => ({ call, twins: [] }));
  for (const group of groups) {
    const [call, ...twins] = group.toSorted((a, b) => depth(b, group) - depth(a, group) || byTrust(a, b)) as [CallFacts, ...CallFacts[]];
    counted.push({ call, twins });
    for (const twin of twins) aside.set(twin, call.spanId);
  }
  for (const wrapper of all.filter(({ wraps }) => wraps)) {
    if (wrapping.counted.has(wrapper)) counted.push({ call: wrapper, twins: [] });
    else aside.set(wrapper, undefined);
  }
  return { counted, aside, open: wrapping.open };
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

function differ(outer: CallFacts, inner: CallFacts): boolean {
  if (outer.responseId !== undefined && inner.responseId !== undefined) return outer.responseId !== inner.responseId;
  const models = [outer.model, outer.responseModel].filter((model) => model !== undefined);
  const others = [inner.model, inner.responseModel].filter((model) => model !== undefined);
  return models.length > 0 && others.length > 0 && !models.some((model) => others.some((other) => sameModel(model, other)));
}

/** `openai/gpt-4o` and `gpt-4o-2024-08-06` are `gpt-4o`. */
function sameModel(a: string, b: string): boolean {
  const [short, long] = [bareModel(a), bareModel(b)].sort((x, y) => x.length - y.length) as [string, string];
  return long === short || (long.startsWith(short) && /^[-@:]/.test(long.slice(short.length)));
}

const bareModel = (name: string): string => name.slice(name.lastIndexOf("/") + 1).toLowerCase();

/** Groups of rows that tell of one call. */
function sameCalls(calls: readonly CallFacts[], below: ReadonlyMap<CallFacts, readonly CallFacts[]>): CallFacts[][] {
  const groups = new Map<CallFacts, CallFacts[]>(calls.map((call) => [call, [call]]));
  const join = (a: CallFacts, b: CallFacts): void => {
    const [one, other] = [groups.get(a)!, groups.get(b)!];
    if (one === other) return;
    one.push(...other);
    for (const call of other) groups.set(call, one);
  };
  const byResponse = new Map<string, CallFacts>();
  for (const call of calls) {
    const child = below.get(call)?.[0];
    if (child !== undefined && groups.has(child)) join(call, child);
    if (call.responseId === undefined) continue;
    const first = byResponse.get(call.responseId);
    if (first === undefined) byResponse.set(call.responseId, call);
    else join(first, call);
  }
  return [...new Set(groups.values())];
}

/** How many rows of its group lie above a row. */
function depth(call: CallFacts, group: readonly CallFacts[]): number {
  let found = 0;
  let parent = call.parentSpanId;
  for (let step = 0; step < group.length && parent !== undefined; step++) {
    const above = group.find(({ spanId }) => spanId === parent);
    if (above === undefined) break;
    found++;
    parent = above.parentSpanId;
  }
  return found;
}

/** Of rows beside each other: the one that knows more, then the conventions' own, then the first. */
function byTrust(a: CallFacts, b: CallFacts): number {
  const score = (call: CallFacts): number =>
    Number(call.has.has("tokens")) * 8 +
    Number(call.has.has("prompt")) * 4 +
    Number(call.has.has("response")) * 2 +
    Number(call.dialect === "semconv");
  return score(b) - score(a) || byStart(a, b);
}

import { type CallFacts, keyText } from "./facts.ts";

/** Which wrappers of a trace count, and whether a span that is still missing may change that. */
export interface WrapperUsage {
  readonly counted: ReadonlySet<CallFacts>;
  readonly open: boolean;
}

/** What lies above a span, as far as it is stored. */
interface Line {
  readonly above: ReadonlySet<string>;
  /** The uppermost span that others name and nobody has sent (yet); undefined where the line ends in a root. */
  readonly missing: string | undefined;
}

interface Placed {
  readonly call: CallFacts;
  readonly line: Line;
}

/** Parents can be told in a circle. */
const MAX_DEPTH = 1_000;

/**
 * A wrapper's usage counts where no call that it may wrap, or that may wrap it, tells of usage itself; of such wrappers within each other the outermost counts
 * (dialect-traps 1). A pure function of the stored spans. `parents` has every span of the trace, roots with "". Where a span between two others is missing, or where
 * calls stand beside their wrapper instead of below it, times decide: tokens that may be told twice count once.
 */
export function wrapperUsage(calls: readonly CallFacts[], parents: ReadonlyMap<string, string>): WrapperUsage {
  const place = (call: CallFacts): Placed => ({ call, line: lineOf(call, parents) });
  const wrappers = calls.filter(({ wraps }) => wraps).map(place);
  if (wrappers.length === 0) return { counted: new Set(), open: false };
  const telling = calls.filter(({ wraps, has }) => !wraps && has.has("tokens")).map(place);
  const covered = new Set(telling.flatMap(({ line }) => [...line.above]));
  const alone = wrappers
    .filter(({ call }) => !covered.has(call.spanId))
    .filter((wrapper) => !telling.some((other) => meets(wrapper, other)));
  const counted = alone.filter((wrapper) => !alone.some((other) => other !== wrapper && isOutside(other, wrapper)));
  const open = wrappers.some((wrapper) => [...telling, ...wrappers].some((other) => other !== wrapper && dependsOnMissing(wrapper, other)));
  return { counted: new Set(counted.map(({ call }) => call)), open };
}

function lineOf({ spanId, parentSpanId = "" }: CallFacts, parents: ReadonlyMap<string, string>): Line {
  const above = new Set<string>();
  let at = parentSpanId;
  while (at !== "" && at !== spanId && !above.has(at) && above.size < MAX_DEPTH) {
    above.add(at);
    const next = parents.get(at);
    if (next === undefined) return { above, missing: at };
    at = next;
  }
  return { above, missing: undefined };
}

const meets = (wrapper: Placed, call: Placed): boolean =>
  mayBeAbove(wrapper, call) || mayBeAbove(call, wrapper) || isBeside(wrapper.call, call.call);

/** `upper` is above `lower`, or a missing span hides that it may be. */
const mayBeAbove = (upper: Placed, lower: Placed): boolean =>
  lower.line.above.has(upper.call.spanId) || (isHidden(upper, lower) && isWithin(upper.call, lower.call));

/** Of two that may each be above the other (parents told in a circle, the same times) the first is. */
const isOutside = (upper: Placed, lower: Placed): boolean =>
  mayBeAbove(upper, lower) && (!mayBeAbove(lower, upper) || keyText(upper.call) < keyText(lower.call));

/** Nothing that is stored says that `upper` is not above `lower`. */
const isHidden = (upper: Placed, { line }: Placed): boolean =>
  line.missing !== undefined && !line.above.has(upper.call.spanId) && !upper.line.above.has(line.missing);

const dependsOnMissing = (a: Placed, b: Placed): boolean => isHidden(a, b) || isHidden(b, a);

const isWithin = (outer: CallFacts, inner: CallFacts): boolean =>
  inner.startMillis >= outer.startMillis && (inner.endMillis ?? inner.startMillis) <= (outer.endMillis ?? outer.startMillis);

/** Some instrumentations send what an agent did beside it, or lose its parent. */
const isBeside = (wrapper: CallFacts, call: CallFacts): boolean =>
  (call.parentSpanId === undefined || call.parentSpanId === wrapper.parentSpanId) && isWithin(wrapper, call);

import { type CallFacts, callKind, type ToldTokens, type TraceTree } from "./facts.ts";

/** What calls that lie within each other, with other spans between them, turn out to be. */
export interface Nesting {
  /** The calls within that tell of the same one, by the outer one. */
  readonly same: ReadonlyMap<CallFacts, readonly CallFacts[]>;
  /** Calls that tell together what several calls within them tell. */
  readonly wrappers: ReadonlySet<CallFacts>;
  /** A span between two of the calls is missing so far and may make them one. */
  readonly open: boolean;
}

interface Inner {
  readonly outer: CallFacts | undefined;
  /** Below a record of one of the outer call's attempts. */
  readonly isTry: boolean;
  /** The uppermost span that the line names and nobody has sent (yet). */
  readonly missing: string | undefined;
}

/** Parents can be told in a circle. */
const MAX_DEPTH = 1_000;
/** Missing spans are of interest in traces of ordinary size. */
const MAX_COMPARED = 300;

/**
 * Finds the calls that are one call told twice although other spans stand between them: an instrumentation of a framework and one of the client beneath it, with a
 * span of the application or of a third one between. Such spans may as well be a step that makes a call of its own, so more is asked for than of a call directly below
 * another: a record of an attempt between them, or no tool, agent or the like, nothing that says that they differ, and the same tokens; where one of them tells of no tokens, the same model and
 * most of the time. `direct` has the calls directly below each call. A pure function of the stored spans.
 */
export function nestedCalls(calls: readonly CallFacts[], direct: ReadonlyMap<CallFacts, readonly CallFacts[]>, tree: TraceTree): Nesting {
  const same = new Map<CallFacts, readonly CallFacts[]>();
  const wrappers = new Set<CallFacts>();
  const bySpan = new Map(calls.map((call) => [call.spanId, call]));
  const lines = calls.map((call) => ({ call, ...lineOf(call, bySpan, tree) }));
  const within = Map.groupBy(
    lines.filter(({ outer }) => outer !== undefined),
    ({ outer }) => outer!,
  );
  for (const [outer, below] of within) {
    if (direct.has(outer)) continue;
    // A try that told of tokens was paid for, and is told again only where they are the same.
    const tries = below.filter(({ call, isTry }) => isTry && call.tokens === undefined).map(({ call }) => call);
    const inner = below.map(({ call }) => call).filter((call) => !tries.includes(call));
    const told = inner.filter((call) => tellsTheSame(outer, call));
    const candidates = told.length > 0 || inner.length > 1 ? told : inner.filter((call) => fills(outer, [call]));
    if (candidates.length <= 1 && candidates.length + tries.length > 0) same.set(outer, [...candidates, ...tries]);
    else if (candidates.length > 1 || repeats(outer, inner)) wrappers.add(outer);
  }
  return { same, wrappers, open: isOpen(lines) };
}

/** Whether some of the calls may lie within others, so that the spans between them are worth reading. Cheap, and rather too often than not. */
export function mayNest(calls: readonly CallFacts[]): boolean {
  const told = new Set<string>();
  const ends = new Map<string, number>();
  const inOrder = calls.filter(isPlainCall).toSorted((a, b) => a.startMillis - b.startMillis || (b.endMillis ?? 0) - (a.endMillis ?? 0));
  for (const { operation, startMillis, endMillis = startMillis, tokens } of inOrder) {
    const kind = callKind(operation);
    const count = tokens === undefined ? undefined : `${kind} ${tokens.prompt} ${tokens.completion}`;
    if ((ends.get(kind) ?? Number.NEGATIVE_INFINITY) >= endMillis || (count !== undefined && told.has(count))) return true;
    if (count !== undefined) told.add(count);
    ends.set(kind, Math.max(endMillis, ends.get(kind) ?? endMillis));
  }
  return false;
}

const isPlainCall = ({ wraps, status }: CallFacts): boolean => !wraps && status !== "pending";

/** The nearest call of its kind around a call, with spans between them that may belong to one and the same call. */
function lineOf(call: CallFacts, bySpan: ReadonlyMap<string, CallFacts>, { parents, apart, tries }: TraceTree): Inner {
  const { parentSpanId = "" } = call;
  let at = parentSpanId;
  let isTry = false;
  for (let depth = 0; at !== "" && at !== call.spanId && depth < MAX_DEPTH; depth++) {
    const around = bySpan.get(at);
    if (around !== undefined) {
      const isInner = depth > 0 && callKind(around.operation) === callKind(call.operation);
      return { outer: isInner ? around : undefined, isTry, missing: undefined };
    }
    if (apart.has(at)) break;
    isTry ||= tries.has(at);
    const next = parents.get(at);
    if (next === undefined) return { outer: undefined, isTry, missing: at };
    at = next;
  }
  return { outer: undefined, isTry, missing: undefined };
}

function isOpen(lines: readonly (Inner & { readonly call: CallFacts })[]): boolean {
  const waiting = lines.filter(({ missing }) => missing !== undefined);
  const mayHold = (outer: (typeof lines)[number], { call, missing }: (typeof lines)[number]): boolean =>
    outer.call !== call &&
    outer.missing !== missing &&
    callKind(outer.call.operation) === callKind(call.operation) &&
    outer.call.startMillis <= call.startMillis &&
    (tellsTheSame(outer.call, call) || fills(outer.call, [call]));
  return waiting.slice(0, MAX_COMPARED).some((inner) => lines.slice(0, MAX_COMPARED).some((outer) => mayHold(outer, inner)));
}

function tellsTheSame(outer: CallFacts, inner: CallFacts): boolean {
  if (differ(outer, inner)) return false;
  if (outer.responseId !== undefined && inner.responseId !== undefined) return true;
  return outer.tokens !== undefined && inner.tokens !== undefined && sameTokens(outer.tokens, inner.tokens);
}

/** The outer call tells the sum of the inner ones, or nothing while they take most of its time. */
function repeats(outer: CallFacts, inner: readonly CallFacts[]): boolean {
  if (inner.length < 2 || inner.some((call) => differ(outer, call))) return false;
  if (outer.tokens === undefined) return fills(outer, inner);
  const told = inner.flatMap(({ tokens }) => tokens ?? []);
  return sameTokens(outer.tokens, { prompt: sumOf(told, "prompt"), completion: sumOf(told, "completion") });
}

const sumOf = (tokens: readonly ToldTokens[], which: "prompt" | "completion"): number => tokens.reduce((sum, each) => sum + each[which], 0);

const sameTokens = (a: ToldTokens, b: ToldTokens): boolean => a.prompt === b.prompt && a.completion === b.completion;

/** The share of the outer call's time that calls within it must take to be what it did, where tokens do not tell. */
const MOST_OF_TIME = 0.5;

function fills(outer: CallFacts, inner: readonly CallFacts[]): boolean {
  if (outer.endMillis === undefined || (outer.tokens !== undefined && inner.every(({ tokens }) => tokens !== undefined))) return false;
  const took = inner.reduce(
    (sum, { startMillis, endMillis = startMillis }) =>
      sum + Math.max(0, Math.min(endMillis, outer.endMillis!) - Math.max(startMillis, outer.startMillis)),
    0,
  );
  const ofOneModel = inner.every((call) => hasModel(call) && !differ(outer, call));
  return hasModel(outer) && ofOneModel && took > 0 && took >= (outer.endMillis - outer.startMillis) * MOST_OF_TIME;
}

const hasModel = ({ model, responseModel }: CallFacts): boolean => (model ?? responseModel) !== undefined;

/** Whether something says that two rows do not tell of the same call: their answers or their models. */
export function differ(outer: CallFacts, inner: CallFacts): boolean {
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

import { hasGroups } from "./belonging.ts";
import type { ChildSpan, TraceEvidence } from "./facts.ts";
import { byTrace, idsOf, lookUp, optional, type TraceRef, type Tx, traceName, type Window, windowOf } from "./look-up.ts";
import { mayNest } from "./nesting.ts";
import { namesOthers, readApart, readChildren, readEvents, readParents, readScores, toChild, toEvent, toScore } from "./read-around.ts";
import { MAX_ROWS, NO_CALLS, readCalls, readServers, toCalls } from "./read-calls.ts";
import { mayHoldRequests } from "./requests.ts";

/** What is stored about a trace, with the sign of its counted calls. */
export interface StoredTrace extends TraceEvidence {
  readonly sign: number;
}

/**
 * Everything stored about the traces. An update may speak of something from long ago: where its trace has nothing nearby that it can be about, the trace is
 * read at all times.
 */
export async function readEvidence(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<StoredTrace[]> {
  const near = await readWithin(tx, schema, { traces, window: windowOf(traces) });
  const late = new Set(near.filter(lacksTarget).map(traceName));
  if (late.size === 0) return near;
  const known = traces.filter((trace) => late.has(traceName(trace)));
  const far = await readWithin(tx, schema, { traces: known, window: { ...windowOf(known), ...ALL_TIMES } });
  return [...near.filter((evidence) => !late.has(traceName(evidence))), ...far];
}

/** As far as PostgreSQL's times go that JavaScript can write. */
const ALL_TIMES = { from: new Date("0001-01-01T00:00:00Z"), to: new Date("9999-12-31T00:00:00Z") };

function lacksTarget({ calls, children }: TraceEvidence): boolean {
  const announced = children.filter(({ attributes }) => attributes["genspan.record"] === "pending").map(({ parentSpanId }) => parentSpanId);
  const known = new Set([...[...calls, ...children].map(({ spanId }) => spanId), ...announced]);
  return children.some(({ attributes, parentSpanId }) => attributes["genspan.record"] === "update" && !known.has(parentSpanId));
}

const isAttempt = ({ attributes }: ChildSpan): boolean => attributes["genspan.record"] === "attempt";

interface Reading {
  readonly traces: readonly TraceRef[];
  readonly window: Window;
}

async function readWithin(tx: Tx, schema: string, { traces, window }: Reading): Promise<StoredTrace[]> {
  const calls = byTrace(await readCalls(tx, schema, window));
  const [children, events] = await Promise.all([readChildren(tx, schema, window), readEvents(tx, schema, window)]);
  const scoresOf = byTrace(calls.size === 0 ? [] : await readScores(tx, schema, window));
  const [childrenOf, eventsOf] = [byTrace(children), byTrace(events)];
  const recordsOf = new Map([...childrenOf].map(([name, rows]) => [name, rows.map(toChild)]));
  const isTree = (name: string): boolean => hasGroups(recordsOf.get(name) ?? []) || calls.get(name)?.some((row) => row["wraps"]) === true;
  const servers = await readServers(tx, schema, { window, calls, recordsOf });
  const factsOf = new Map([...calls].map(([name, rows]) => [name, toCalls(rows, servers.get(name))]));
  const nested = traces.filter((trace) => mayNest(factsOf.get(traceName(trace))?.calls ?? []));
  const scored = traces.filter((trace) => namesOthers(scoresOf.get(traceName(trace)), factsOf.get(traceName(trace))?.calls ?? []));
  const requesting = traces.filter((trace) =>
    mayHoldRequests(factsOf.get(traceName(trace))?.calls ?? [], recordsOf.get(traceName(trace)) ?? []),
  );
  const separated = [...new Set([...nested, ...scored, ...requesting])];
  const trees = new Set([...traces.filter((trace) => isTree(traceName(trace))), ...separated]);
  const parents = trees.size === 0 ? byTrace([]) : byTrace(await readParents(tx, schema, { ...window, ...idsOf([...trees]) }));
  const apart = separated.length === 0 ? byTrace([]) : byTrace(await readApart(tx, schema, { ...window, ...idsOf(separated) }));
  return traces.flatMap(({ projectId, traceId }) => {
    const name = traceName({ projectId, traceId });
    const rows = calls.get(name) ?? [];
    const records = recordsOf.get(name) ?? [];
    if (rows.length + records.length === 0) return [];
    const { calls: found, strays } = factsOf.get(name) ?? NO_CALLS;
    const ids = new Set(found.map(({ spanId }) => spanId));
    return {
      projectId,
      traceId,
      calls: found,
      tooManyCalls: rows.length > MAX_ROWS,
      sign: rows.reduce((sum, row) => sum + (row["counted"] === true ? Number(row["sign"]) : 0), 0),
      strays,
      children: records,
      events: (eventsOf.get(name) ?? []).map(toEvent).filter(({ spanId }) => ids.has(spanId)),
      parents: new Map((parents.get(name) ?? []).map((row) => [String(row["span_id"]), optional(row["parent_span_id"]) ?? ""])),
      scores: (scoresOf.get(name) ?? []).map(toScore),
      tries: new Set(records.filter(isAttempt).map(({ spanId }) => spanId)),
      apart: new Set((apart.get(name) ?? []).map((row) => String(row["span_id"]))),
    };
  });
}

/** Names of those of the traces of which calls are stored, counted or not. */
export async function readTracesWithCalls(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<ReadonlySet<string>> {
  const lookup = { schema, window: windowOf(traces), columns: "span_id" };
  const found = [await lookUp(tx, { ...lookup, table: "generation_logs" }), await lookUp(tx, { ...lookup, table: "generation_twins" })];
  return new Set(byTrace(found.flat()).keys());
}

const IMAGE_RECORD = "attributes ?| ARRAY['genspan.image.request', 'genspan.image.status']";

/** Names of those of the traces in which a record of ours tells of an image: what is made of it may not be there yet. */
export async function readTracesWithImages(tx: Tx, schema: string, traces: readonly TraceRef[]): Promise<ReadonlySet<string>> {
  const found = await lookUp(tx, { schema, window: windowOf(traces), table: "spans", columns: "span_id", condition: IMAGE_RECORD });
  return new Set(byTrace(found).keys());
}

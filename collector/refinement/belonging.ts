import * as A from "../../sdk/attributes.ts";
import { stringOf } from "../dialects/json.ts";
import { shortIdentifier } from "../rows/values.ts";
import type { CallFacts, ChildSpan } from "./facts.ts";

/** In which run and which item a span of a trace happened. */
export interface Belonging {
  runOf(spanId: string): GroupMember | undefined;
  itemOf(spanId: string): GroupMember | undefined;
}

/** An id as generations carry it, and the span of the thing it names. */
export interface GroupMember {
  readonly id: string;
  readonly spanId: string;
}

export interface BelongingEvidence {
  readonly traceId: string;
  readonly children: readonly ChildSpan[];
  readonly calls: readonly CallFacts[];
  /** Parents of the trace's other spans, where a run or an item makes them matter. */
  readonly parents: ReadonlyMap<string, string>;
}

/**
 * A span belongs to the nearest run (item) above it. Where none is above it, it belongs to the one run of its trace: work handed to a queue or a thread often
 * loses its parent, but not its trace. Items have no such rule: a trace usually makes several.
 */
export function belongingOf(evidence: BelongingEvidence): Belonging {
  const runs = new Map<string, string>();
  const items = new Map<string, string>();
  for (const span of evidence.children) {
    const thing = runSpanOf(span);
    if (thing !== undefined) runs.set(thing, runIdOf(span, evidence.traceId));
    if (isItemRecord(span)) items.set(span.spanId, itemIdOf(span, evidence.traceId));
  }
  const parents = new Map(evidence.parents);
  for (const { spanId, parentSpanId } of [...evidence.children, ...evidence.calls]) {
    if (parentSpanId !== undefined && parentSpanId !== "") parents.set(spanId, parentSpanId);
  }
  const only = runs.size === 1 ? [...runs][0] : undefined;
  return {
    runOf: (spanId) => nearest(runs, parents, spanId) ?? (only === undefined ? undefined : { spanId: only[0], id: only[1] }),
    itemOf: (spanId) => nearest(items, parents, spanId),
  };
}

/** Parents can be told in a circle. */
const MAX_DEPTH = 1_000;

function nearest(things: ReadonlyMap<string, string>, parents: ReadonlyMap<string, string>, spanId: string): GroupMember | undefined {
  let at: string | undefined = spanId;
  for (let depth = 0; at !== undefined && things.size > 0 && depth < MAX_DEPTH; depth++) {
    const id = things.get(at);
    if (id !== undefined) return { id, spanId: at };
    at = parents.get(at);
  }
  return undefined;
}

/** The span of the run that a record is about: its own for the final record, its parent for an announcement; undefined for anything else. */
export function runSpanOf({ attributes, spanId, parentSpanId }: ChildSpan): string | undefined {
  if (attributes[A.GENSPAN_RECORD] === "run") return spanId;
  const announces = attributes[A.GENSPAN_RECORD] === "pending" && attributes[A.GENSPAN_RUN_STATUS] !== undefined;
  const updates = attributes[A.GENSPAN_RECORD] === "update" && attributes[A.GENSPAN_RUN_SUMMARY] !== undefined;
  return (announces || updates) && parentSpanId !== "" ? parentSpanId : undefined;
}

export const isItemRecord = ({ attributes }: ChildSpan): boolean => attributes[A.GENSPAN_RECORD] === "item";

/** The id that the run was given, else one made of its span, as a generation's is. */
export const runIdOf = (span: ChildSpan, traceId: string): string =>
  given(span.attributes[A.GENSPAN_RUN_ID]) ?? `${traceId}-${runSpanOf(span) ?? span.spanId}`;

export const itemIdOf = (span: ChildSpan, traceId: string): string =>
  given(span.attributes[A.GENSPAN_ITEM_ID]) ?? `${traceId}-${span.spanId}`;

function given(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : stringOf(value);
  return text === undefined ? undefined : shortIdentifier(text);
}

/** Whether the trace has anything that spans can belong to. */
export const hasGroups = (children: readonly ChildSpan[]): boolean =>
  children.some((span) => isItemRecord(span) || runSpanOf(span) !== undefined);

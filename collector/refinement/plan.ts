import { hash } from "node:crypto";
import { type Attempt, attemptsOf } from "./attempts.ts";
import { type Belonging, belongingOf, type GroupMember } from "./belonging.ts";
import {
  type CallFacts,
  type CallKey,
  type ChildSpan,
  FILL_GROUPS,
  type FillGroup,
  GROUP_NAMES,
  isFill,
  type LogEvent,
  type StrayRow,
  type TraceEvidence,
} from "./facts.ts";
import { type FoldedCall, foldCalls } from "./fold.ts";
import { type ImageRow, imageRows } from "./images.ts";
import { type ItemRecord, itemRecords } from "./items.ts";
import { contentFromEvents, type GroupValues } from "./log-content.ts";
import { awaitsCall, requestsOfCalls } from "./requests.ts";
import { type RunRow, runRows } from "./runs.ts";
import { awaitsSpan, type ScoreMove, scoreMoves } from "./scores.ts";
import { updatesOf } from "./updates.ts";

/** A group of columns taken over from the row of a twin. */
export interface Copy {
  readonly group: FillGroup;
  readonly from: CallKey;
}

/** What has to change about one counted row. */
export interface RowChange {
  readonly key: CallKey;
  /** Groups that were filled in before and are to be filled anew or not any more. */
  readonly reset: readonly FillGroup[];
  readonly copies: readonly Copy[];
  /** The row is to hold the messages of its own span: those of a wrapper stay there and are copied when it counts. */
  readonly messagesOfSpan: boolean;
  /** Columns to set where the span said nothing, by name. */
  readonly columns: Readonly<Record<string, unknown>>;
  /** Columns to set in the place of what the span said, which is kept beside them. */
  readonly replaced: Readonly<Record<string, unknown>>;
  /** What the span said in columns that say something else so far. */
  readonly own: Readonly<Record<string, unknown>>;
  /** The attempts to keep; undefined where they stay as they are. */
  readonly attempts: readonly Attempt[] | undefined;
  readonly filledFrom: Readonly<Record<string, string>>;
}

/** What has to change so that the rows of a trace say what all its evidence says. Empty when they do already. */
export interface RefinementPlan {
  /** Rows to count again. */
  readonly restore: readonly CallKey[];
  /** Rows to set aside, with the span counted instead, as their own spans told them. */
  readonly setAside: readonly { readonly key: CallKey; readonly survivor: string | undefined; readonly change: RowChange | undefined }[];
  /** Rows set aside before, of which another span is counted now. */
  readonly survivors: readonly { readonly key: CallKey; readonly survivor: string | undefined }[];
  readonly strays: readonly StrayRow[];
  readonly changes: readonly RowChange[];
  /** All image traces of the trace; written when they differ from what is stored. */
  readonly images: readonly ImageRow[];
  /** All runs and item records of the trace; written like the images. */
  readonly runs: readonly RunRow[];
  readonly items: readonly ItemRecord[];
  /** Evaluations that belong to another span than the one they stand with. */
  readonly scores: readonly ScoreMove[];
  /** A span of the trace that is missing so far may change the plan without a mark of its own. */
  readonly open: boolean;
}

/**
 * A pure function of the evidence: the same set of spans and log records gives the same rows in whatever order they came, since what a span said
 * itself is never overwritten except by an update, and what was filled in is known by name and made anew.
 */
export function planRefinement(evidence: TraceEvidence): RefinementPlan {
  const folding = foldCalls(evidence.calls, evidence);
  const setAside = [...folding.aside]
    .filter(([call]) => call.counted)
    .map(([call, survivor]) => ({ key: keyOf(call), survivor, change: asTold(call) }));
  const survivors = [...folding.aside]
    .filter(([call, survivor]) => !call.counted && call.survivor !== survivor)
    .map(([call, survivor]) => ({ key: keyOf(call), survivor }));
  const restore = folding.counted.filter(({ call }) => !call.counted).map(({ call }) => keyOf(call));
  const told = requestsOfCalls(evidence);
  const children = groupBy(told, ({ parentSpanId }) => parentSpanId);
  const events = groupBy(evidence.events, ({ spanId }) => spanId);
  const ofCalls = new Set(evidence.calls.map(({ spanId }) => spanId));
  const belonging = belongingOf(evidence);
  const changes = folding.counted.flatMap((folded) => {
    const all = [folded.call, ...folded.twins];
    const change = changeOf(folded, {
      events: all.map(({ spanId }) => events.get(spanId) ?? []),
      // A call that is itself told as a request over HTTP is no attempt of its twin, nor of what is around it.
      children: all.flatMap(({ spanId }) => children.get(spanId) ?? []).filter(({ spanId }) => !ofCalls.has(spanId)),
      counted: folding.counted,
      belonging,
    });
    return change === undefined ? [] : [change];
  });
  const images = imageRows({
    projectId: evidence.projectId,
    traceId: evidence.traceId,
    children: told,
    counted: folding.counted,
    filled: new Map(changes.map(({ key, columns }) => [key.spanId, columns])),
    belonging,
  });
  const runs = runRows(evidence.traceId, evidence.children);
  const items = itemRecords(evidence.traceId, evidence.children, belonging);
  const scores = scoreMoves(evidence, folding.counted);
  return {
    restore,
    setAside,
    survivors,
    strays: evidence.strays,
    changes,
    images,
    runs,
    items,
    scores,
    open: folding.open || awaitsSpan(evidence) || awaitsCall(evidence),
  };
}

export const isEmpty = ({ open: _open, ...changes }: RefinementPlan): boolean => Object.values(changes).every((list) => list.length === 0);

const keyOf = ({ spanId, startTime }: CallKey): CallKey => ({ spanId, startTime });

function groupBy<T>(items: readonly T[], keyOfItem: (item: T) => string): Map<string, T[]> {
  return Map.groupBy(items, keyOfItem);
}

interface Around {
  /** Log events of the call and of each twin, in that order. */
  readonly events: readonly (readonly LogEvent[])[];
  readonly children: readonly ChildSpan[];
  readonly counted: readonly FoldedCall[];
  readonly belonging: Belonging;
}

function changeOf(folded: FoldedCall, around: Around): RowChange | undefined {
  const { call } = folded;
  const filled: Record<string, string> = {};
  const columns: Record<string, unknown> = {};
  const replaced: Record<string, unknown> = {};
  const copies: Copy[] = [];
  const fromLogs = around.events.map(contentFromEvents);
  for (const group of GROUP_NAMES) {
    if (!call.has.has(group)) fill(group, { folded, fromLogs, filled, columns, copies });
  }
  for (const group of call.wraps ? MESSAGE_GROUPS : []) filled[group] ??= `span:${call.spanId}`;
  for (const [group, member] of membership(folded, around.belonging)) {
    filled[group] = `above:${member.spanId}`;
    columns[`${group}_id`] = member.id;
  }
  for (const [name, update] of updatesOf(around.children)) {
    filled[name] = `update:${update.spanId}`;
    Object.assign(replaced, update.columns);
  }
  const attempts = attemptsOf(folded, around.children, around.counted);
  if (attempts !== undefined) {
    filled["attempts"] = `spans:${shortHash(JSON.stringify(attempts))}`;
    replaced["attempts_count"] = attempts.length;
  }
  const hidden = call.contentState === "absent" ? hiddenContent(folded, around.events) : undefined;
  if (columns["prompt_full_text"] !== undefined || columns["response_full_text"] !== undefined || copies.some(isContent)) {
    replaced["content_state"] = "captured";
  } else if (hidden !== undefined) {
    filled["content_state"] = hidden;
    replaced["content_state"] = "redacted";
  } else if (call.wraps) replaced["content_state"] = call.contentState;
  if (sameEntries(filled, call.filledFrom)) return undefined;
  return {
    ...unchanged(call),
    messagesOfSpan: call.wraps,
    copies,
    columns,
    replaced,
    attempts: attempts ?? unchanged(call).attempts,
    filledFrom: filled,
  };
}

/** Back to what the call's own span told. */
const unchanged = (call: CallFacts): RowChange => ({
  key: keyOf(call),
  reset: GROUP_NAMES.filter((group) => isFill(call.filledFrom[group])),
  copies: [],
  messagesOfSpan: false,
  columns: {},
  replaced: {},
  own: call.own,
  attempts: call.filledFrom["attempts"] === undefined ? undefined : [],
  filledFrom: {},
});

const asTold = (call: CallFacts): RowChange | undefined => (Object.keys(call.filledFrom).length === 0 ? undefined : unchanged(call));

/** The run and the item in which a call happened, where neither it nor a twin names one. */
function membership({ call, twins }: FoldedCall, belonging: Belonging): (readonly ["run" | "item", GroupMember])[] {
  const told = (group: FillGroup): boolean => [call, ...twins].some(({ has }) => has.has(group));
  const [run, item] = [belonging.runOf(call.spanId), belonging.itemOf(call.spanId)];
  return [
    ...(run === undefined || told("run") ? [] : [["run", run] as const]),
    ...(item === undefined || told("item") ? [] : [["item", item] as const]),
  ];
}

/** Where content was that was taken out on its way: in the span of a twin, or in log events; undefined where there was none. */
function hiddenContent({ call, twins }: FoldedCall, events: Around["events"]): string | undefined {
  for (const [i, { spanId, contentState }] of [call, ...twins].entries()) {
    if (contentState === "redacted") return `span:${spanId}`;
    if (events[i]?.some(({ redacted }) => redacted)) return `logs:${spanId}`;
  }
  return undefined;
}

const MESSAGE_GROUPS = ["prompt", "response", "system_instructions"] as const satisfies readonly FillGroup[];

const isContent = ({ group }: Copy): boolean => group === "prompt" || group === "response";

interface Filling {
  readonly folded: FoldedCall;
  readonly fromLogs: readonly GroupValues[];
  readonly filled: Record<string, string>;
  readonly columns: Record<string, unknown>;
  readonly copies: Copy[];
}

/** Fills one group from the best source that has it: the call's own log events, then each twin and its events. */
function fill(group: FillGroup, { folded: { twins }, fromLogs, filled, columns, copies }: Filling): void {
  for (let i = 0; i <= twins.length; i++) {
    const twin = i === 0 ? undefined : twins[i - 1];
    if (twin?.has.has(group) === true) {
      filled[group] = `span:${twin.spanId}`;
      copies.push({ group, from: keyOf(twin) });
      return;
    }
    const values = fromLogs[i]?.[group];
    if (values !== undefined) {
      filled[group] = `logs:${shortHash(JSON.stringify(values))}`;
      Object.assign(columns, values);
      return;
    }
  }
}

const shortHash = (text: string): string => hash("sha256", text, "hex").slice(0, 12);

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** Columns of all groups, for statements that reset or copy them. */
export const columnsOfGroups = (groups: readonly FillGroup[]): string[] => groups.flatMap((group) => [...FILL_GROUPS[group]]);

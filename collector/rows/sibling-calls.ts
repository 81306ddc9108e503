import { conceptText, type GenerationDraft, hasConcept } from "../dialects/generation-draft.ts";
import type { Tokens } from "../model/tokens.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { namesSpan } from "./row-key.ts";

/** What tells a call of a request from its other calls. */
export interface CallSign {
  /** Where its span id stands in the request. */
  readonly spanIdAt: number;
  /** Where its parent's id stands; -1 for none. */
  readonly parentIdAt: number;
  readonly prompt: number;
  readonly completion: number;
  readonly responseId: string | undefined;
}

export interface EndedCall {
  readonly view: SpanView;
  readonly draft: GenerationDraft;
  readonly tokens: Tokens;
  readonly succeeded: boolean;
}

/** The sign of a call that ended well and told its tokens; undefined where it may be something else than a call of its own. */
export function signOfCall({ view, draft, tokens, succeeded }: EndedCall): CallSign | undefined {
  const { prompt = 0, completion = 0, total } = tokens;
  const responseId = conceptText(view, draft, "responseId");
  const isUnread = responseId === undefined ? hasConcept(draft, "responseId") : !PLAIN_ID.test(responseId);
  if (!succeeded || total === undefined || prompt + completion <= 0 || isUnread) return undefined;
  const hasParent = namesSpan(view.arena.request, view.parentSpanIdOffset, view.parentSpanIdSize);
  return { spanIdAt: view.spanIdOffset, parentIdAt: hasParent ? view.parentSpanIdOffset : -1, prompt, completion, responseId };
}

/** Stored as it is, so that two different ones stay different. */
const PLAIN_ID = /^[\x21-\x7e]{1,200}$/;
const ID_BYTES = 8;
/** More than an ordinary request has of one trace are compared by the database. */
const MAX_CALLS = 32;

/**
 * Whether nothing that may still come or is stored could make two of these calls of one trace one, or one of them a wrapper of others, without a mark of its own (rules in
 * refinement/fold.ts and nesting.ts): none is directly below another, no two tell of the same response or the same tokens, and none can have told the sum of several others.
 */
export function standApart(raw: Buffer, calls: readonly (CallSign | undefined)[]): boolean {
  if (calls.length > MAX_CALLS || !calls.every((call) => call !== undefined)) return false;
  return calls.every((call, i) => calls.slice(i + 1).every((other) => differ(raw, call, other))) && !maySumUp(calls);
}

function differ(raw: Buffer, a: CallSign, b: CallSign): boolean {
  if (a.prompt === b.prompt && a.completion === b.completion) return false;
  if (a.responseId !== undefined && a.responseId === b.responseId) return false;
  return !isSameId(raw, a.spanIdAt, b.spanIdAt) && !isSameId(raw, a.parentIdAt, b.spanIdAt) && !isSameId(raw, b.parentIdAt, a.spanIdAt);
}

const isSameId = (raw: Buffer, a: number, b: number): boolean => a >= 0 && raw.compare(raw, a, a + ID_BYTES, b, b + ID_BYTES) === 0;

/** A wrapper of several calls tells at least the sum of the two smallest, of what went in and of what came out. */
function maySumUp(calls: readonly CallSign[]): boolean {
  if (calls.length <= 2) return false;
  return [calls.map(({ prompt }) => prompt), calls.map(({ completion }) => completion)].every((counts) => {
    const [first = 0, second = 0] = counts.toSorted((a, b) => a - b);
    return Math.max(...counts) >= first + second;
  });
}

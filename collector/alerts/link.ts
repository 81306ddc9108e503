import type { Condition } from "./condition.ts";
import { MAX_THINGS, METRICS, type Metric } from "./metrics.ts";

/** What a message speaks of. */
export interface Subject {
  readonly condition: Condition;
  /** When it was measured. */
  readonly at: Date;
  /** Ids of the single things that were measured, where the metric is about such. */
  readonly things?: readonly string[];
}

/** What stands in a path as it is. */
const PLAIN_ID = /^[\w-]+$/;

/** A page with exactly what the message speaks of: the one thing, the few that were measured, or the rows that made the number. */
export function linkOf(publicUrl: string | undefined, subject: Subject): string | undefined {
  if (publicUrl === undefined) return undefined;
  const path = pathOf(METRICS[subject.condition.metric], subject);
  return new URL(path, publicUrl.endsWith("/") ? publicUrl : `${publicUrl}/`).href;
}

function pathOf({ noun, thing, kind, speaksOf = "" }: Metric, { condition, at, things = [] }: Subject): string {
  const [only = ""] = things;
  if (things.length === 1 && PLAIN_ID.test(only)) return `${noun.name}/${only}`;
  if (thing !== undefined && things.length > 0 && things.length <= MAX_THINGS)
    return `${noun.name}?${new URLSearchParams(things.map((id): [string, string] => [thing.key, id]))}`;
  const { window_seconds: seconds, consecutive, filter } = condition;
  const query = new URLSearchParams(filter);
  // Values of one key are alternatives: beside one of the rule's own they would add rows.
  const own = new Set(query.keys());
  for (const [key, value] of new URLSearchParams(speaksOf)) if (!own.has(key)) query.append(key, value);
  const before = (millis: number): string => new Date(at.getTime() - millis).toISOString();
  if (kind !== "now") query.set("from", before(seconds * 1_000 * (kind === "window" ? consecutive : 1)));
  query.set("to", kind === "now" ? before(seconds * 1_000) : at.toISOString());
  return `${noun.name}?${query}`;
}

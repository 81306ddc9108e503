/** What a tree is made of. */
export interface Node {
  readonly span_id: string;
  readonly parent_span_id: string | null;
}

export type Placed<T> = T & { readonly depth: number; readonly orphan: boolean };

/**
 * Parents before their children, siblings in the order they come in; spans whose parent is not there begin trees of their own. Every span stands
 * once, also where broken senders made two of one id, or a circle.
 */
export function inTreeOrder<T extends Node>(spans: readonly T[]): Placed<T>[] {
  const known = new Set(spans.map(({ span_id }) => span_id));
  const children = Map.groupBy(spans, ({ parent_span_id }) => parent_span_id ?? "");
  const placed: Placed<T>[] = [];
  const seen = new Set<T>();
  const walk = (start: T): void => {
    const waiting: { readonly span: T; readonly depth: number }[] = [{ span: start, depth: 0 }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { span, depth } = next;
      if (seen.has(span)) continue;
      seen.add(span);
      placed.push({ ...span, depth, orphan: depth === 0 && span.parent_span_id !== null });
      const below = children.get(span.span_id) ?? [];
      for (const child of below.toReversed()) waiting.push({ span: child, depth: depth + 1 });
    }
  };
  for (const span of spans) if (span.parent_span_id === null || !known.has(span.parent_span_id)) walk(span);
  // What is left goes round in circles.
  for (const span of spans) if (!seen.has(span)) walk(span);
  return placed;
}

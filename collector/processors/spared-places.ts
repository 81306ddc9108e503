import type { Signal } from "../base/signal.ts";
import { visitAttributes } from "./attribute-places.ts";
import type { Steps } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";

type IsSpared = (text: TextRange) => boolean;

const nowhere: IsSpared = () => false;

/** For each request, tells the texts in values of attributes with these names, however deep, from all others. */
export function createSpare(names: readonly string[]): (bytes: Buffer, signal: Signal) => Steps<IsSpared> {
  const spared = new Set(names);
  return function* (bytes, signal) {
    if (spared.size === 0) return nowhere;
    const places: TextRange[] = [];
    yield* visitAttributes(bytes, signal, {
      value(place, name) {
        if (spared.has(name)) places.push(place);
      },
    });
    const byStart = places.toSorted((a, b) => a.start - b.start);
    return ({ start, end }) => {
      const place = byStart[countUpTo(byStart, start) - 1];
      return place !== undefined && end <= place.end;
    };
  };
}

/** How many places begin at `at` or before it; they are sorted and do not overlap. */
function countUpTo(places: readonly TextRange[], at: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle]?.start ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { Signal } from "../base/signal.ts";
import { PAUSE, PAUSE_BYTES, type Pause, type Steps } from "./steps.ts";
import { createTextLocator, type TextLocator, type TextRange } from "./text-locator.ts";

/** The texts in which a needle stands, each once; all texts without one. */
export function* textsFor(needle: Buffer | undefined, bytes: Buffer, signal: Signal): Iterable<TextRange | Pause> {
  let locator: TextLocator | undefined;
  const places = needle === undefined ? undefined : createPlaces(bytes, needle);
  for (let at = 0, texts = 1; ; texts++) {
    const place = places === undefined ? at : (places.next(at) ?? (yield* places.later()));
    if (place < 0) return;
    locator ??= createTextLocator(bytes, signal);
    const text = yield* locator.next(place);
    if (text === undefined) return;
    if (needle === undefined || text.start <= place) yield text;
    // A place outside of every text (in an id, say): on with the next text.
    at = needle === undefined || text.start <= place ? text.end : text.start;
    if (texts % PAUSE_TEXTS === 0) yield PAUSE;
  }
}

interface Places {
  /** The first place from `at` on, where it is near. Places must ascend. */
  next(at: number): number | undefined;
  /** The first place beyond; -1 where there is none. */
  later(): Steps<number>;
}

/** Places of a needle in all of the bytes, looked for in one stretch after the other. */
function createPlaces(bytes: Buffer, needle: Buffer): Places {
  let start = 0;
  let stretch = bytes.subarray(0, 0);
  const move = (to: number): void => {
    start = to;
    stretch = bytes.subarray(to, to + PAUSE_BYTES + needle.length - 1);
  };
  move(0);
  return {
    next(at) {
      if (at >= start + PAUSE_BYTES) move(at);
      const place = stretch.indexOf(needle, at - start);
      return place < 0 ? undefined : start + place;
    },
    *later() {
      for (move(start + PAUSE_BYTES); start < bytes.length; move(start + PAUSE_BYTES)) {
        yield PAUSE;
        const place = stretch.indexOf(needle);
        if (place >= 0) return start + place;
      }
      return -1;
    },
  };
}

/** Texts between two pauses. */
const PAUSE_TEXTS = 64;

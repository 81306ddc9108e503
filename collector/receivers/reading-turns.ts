import type { WorkLimit } from "../base/work-limit.ts";

/** Lets bodies come in by turns while much of others is in memory already: what is not read waits with its sender. */
export interface ReadingTurns {
  /** Resolves when the body may be read: at once for a small one, never later than the limit's longest wait. */
  enter(bytes: number): Promise<Turn>;
}

export interface Turn {
  /** The body is here; its bytes count until `leave`. */
  arrived(): void;
  leave(): void;
}

/** A smaller body is not worth a wait. */
const SMALL_BYTES = 64 * 1024;
/** A body that takes longer than this to come does not keep the others waiting. */
const SLOW_MS = 1_000;

const NO_TURN: Turn = { arrived: () => {}, leave: () => {} };
const AT_ONCE = Promise.resolve(NO_TURN);

export function createReadingTurns(limit: WorkLimit): ReadingTurns {
  function begin(bytes: number): Turn {
    let held = bytes;
    const leave = (): void => {
      clearTimeout(slow);
      if (held > 0) limit.give(held);
      held = 0;
    };
    const slow = setTimeout(leave, SLOW_MS);
    return { arrived: () => clearTimeout(slow), leave };
  }

  return {
    enter(bytes) {
      if (bytes < SMALL_BYTES) return AT_ONCE;
      if (limit.take(bytes)) return Promise.resolve(begin(bytes));
      return limit.wait(bytes).then((hasRoom) => (hasRoom ? begin(bytes) : NO_TURN));
    },
  };
}

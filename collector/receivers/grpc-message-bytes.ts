import type { Readable } from "node:stream";
import type { ByteBudget } from "./byte-budget.ts";

/** The bytes of one call's message while they take up memory. */
export interface MessageBytes {
  /** Received so far, framing included. */
  readonly received: number;
  /**
   * The message, of `bytes` after inflating, is handed on: they stay counted until `done`, whatever becomes of the call. False where there is no room
   * for them.
   */
  handOn(bytes: number): boolean;
  /** The call is over: what was not handed on counts no more, nor does what still comes in. */
  abandon(): void;
  done(): void;
}

/**
 * Counts a stream's bytes against the budget as they come in, without starting the stream. When they do not fit, what was taken is
 * given back and `onOverload` is called once.
 */
export function countBytes(stream: Readable, budget: ByteBudget, onOverload: () => void): MessageBytes {
  let received = 0;
  let taken = 0;
  let handedOn = false;

  const giveBack = (): void => {
    budget.give(taken);
    taken = 0;
  };
  const onData = (chunk: Buffer): void => {
    received += chunk.length;
    if (budget.take(chunk.length)) {
      taken += chunk.length;
      return;
    }
    abandon();
    onOverload();
  };
  const abandon = (): void => {
    stream.off("data", onData);
    if (!handedOn) giveBack();
  };
  stream.on("data", onData);
  return {
    get received() {
      return received;
    },
    handOn(bytes) {
      handedOn = true;
      const more = Math.max(0, bytes - taken);
      if (!budget.take(more)) return false;
      taken += more;
      return true;
    },
    abandon,
    done: giveBack,
  };
}

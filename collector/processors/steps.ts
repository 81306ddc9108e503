/** Said by work on large data every so often: a chance to let others be served. */
export const PAUSE = "pause";
export type Pause = typeof PAUSE;

/** Work that may be interrupted at every pause; its result does not depend on whether it is. */
export type Steps<T> = Generator<Pause, T>;

/** Bytes that are looked at between two pauses, a few milliseconds of the slowest work. */
export const PAUSE_BYTES = 64 * 1024;

/** Does all of it in one go. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

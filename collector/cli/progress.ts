import type { Terminal } from "./terminal.ts";

/** Tells a person how far a long work is. Nothing is said of work that is over at once. */
export interface Progress {
  /** So much is done by now. */
  at(done: number): void;
  /** Takes the last line away. */
  end(): void;
}

export interface ProgressOptions {
  readonly terminal: Terminal;
  /** What is counted, such as `rows`. */
  readonly unit: string;
  /** Undefined where nobody knows. */
  readonly total: number | undefined;
  /** Milliseconds on any clock. */
  readonly now?: () => number;
}

const FIRST_AFTER_MS = 300;
const EVERY_MS = 200;
/** Without a terminal, lines that stay. */
const LINE_EVERY_MS = 10_000;

/** On a terminal one line that changes, with rate and remaining time; elsewhere a line every ten seconds. */
export function createProgress({ terminal, unit, total, now = () => performance.now() }: ProgressOptions): Progress {
  const began = now();
  const { status } = terminal;
  let next = began + (status === undefined ? LINE_EVERY_MS : FIRST_AFTER_MS);
  let shown = false;
  return {
    at(done) {
      const at = now();
      if (at < next) return;
      const text = progressText({ done, total, unit, seconds: (at - began) / 1000 });
      if (status === undefined) terminal.note(text);
      else status(text);
      shown = true;
      next = at + (status === undefined ? LINE_EVERY_MS : EVERY_MS);
    },
    end() {
      if (shown) status?.("");
    },
  };
}

interface Standing {
  readonly done: number;
  readonly total: number | undefined;
  readonly unit: string;
  readonly seconds: number;
}

/** `120,000 of 1,000,000 rows (12 %), 24,000 a second, 37 s left`. */
export function progressText({ done, total, unit, seconds }: Standing): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const count = (number: number): string => Math.round(number).toLocaleString("en");
  if (total === undefined || total === 0) return `${count(done)} ${unit}, ${count(rate)} a second`;
  const left = rate > 0 ? `, ${count(Math.max(0, total - done) / rate)} s left` : "";
  const share = Math.min(100, Math.floor((100 * done) / total));
  return `${count(done)} of ${count(total)} ${unit} (${share} %), ${count(rate)} a second${left}`;
}

import type { Terminal } from "../cli/terminal.ts";

/** What belongs to the program as a whole: main alone has it, and lends it to the actions. */
export interface Host {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Folder of the checkout or the installed package. */
  readonly rootFolder: string;
  /** Begins to watch for the signals that end a program; from then on they no longer end it by themselves. */
  watchSignals(): StopSignals;
  /** Hands unexpected rejections to `handler` instead of ending the program. */
  onUnhandledRejection(handler: (error: unknown) => void): void;
}

export interface StopSignals {
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP. */
  readonly first: AbortSignal;
  /** Runs `warn` on the second, right before the process ends with a failure. */
  onSecond(warn: () => void): void;
}

/** Resolves when the signal has aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

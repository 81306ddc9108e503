import { isMainThread } from "node:worker_threads";

/** What happens to the queue when the process ends. */
export interface ExitActions {
  /** Whether anything waits to be sent. */
  hasWork(): boolean;
  /** Sends what waits; resolves with whether all of it left, at the time-out at the latest. */
  flush(): Promise<boolean>;
  /** Sends what waits before it returns. */
  flushNow(): void;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Sends what is queued at every end of the process that lets it, and leaves that end as it would have been: exit codes, signals and the application's own
 * handlers stay. Returns a function that takes the hooks out.
 *
 * An uncaught error and process.exit() both reach the `exit` event, where only synchronous work counts.
 */
export function installExitHooks(actions: ExitActions): () => void {
  let gaveUp = false;
  let leaving = false;

  const onBeforeExit = (): void => {
    if (gaveUp || !actions.hasWork()) return;
    // The wait keeps the process alive; when it is over the event comes again.
    void actions.flush().then((complete) => {
      gaveUp = !complete;
    });
  };

  const onExit = (): void => {
    if (!gaveUp && actions.hasWork()) actions.flushNow();
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) {
      // The application listens too and decides what the signal means; this only hurries.
      void actions.flush();
    } else if (leaving) {
      end(signal);
    } else {
      leaving = true;
      void actions.flush().then((complete) => {
        gaveUp = !complete;
        end(signal);
      });
    }
  };

  /** Without a listener a signal does again what it does by default. */
  function end(signal: NodeJS.Signals): void {
    remove();
    process.kill(process.pid, signal);
  }

  function remove(): void {
    process.off("beforeExit", onBeforeExit);
    process.off("exit", onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }

  process.on("beforeExit", onBeforeExit);
  process.on("exit", onExit);
  // Signals are the main thread's.
  if (isMainThread) for (const signal of SIGNALS) process.on(signal, onSignal);
  return remove;
}

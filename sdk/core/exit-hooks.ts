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

/** Marks the listeners of every copy of the SDK in the process, of whatever version. */
const OURS = Symbol.for("genspan.signal-listener");

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
    if (isDecidedByApplication(signal)) {
      // This only hurries.
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

  /** Without a listener a signal does again what it does by default. Of several copies of the SDK the last to be done raises it. */
  function end(signal: NodeJS.Signals): void {
    remove();
    if (!process.listeners(signal).some(isOurs)) process.kill(process.pid, signal);
  }

  function remove(): void {
    process.off("beforeExit", onBeforeExit);
    process.off("exit", onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }

  process.on("beforeExit", onBeforeExit);
  process.on("exit", onExit);
  // Signals are the main thread's.
  Object.defineProperty(onSignal, OURS, { value: true });
  // First of all listeners, to see those that listen once while they are still there.
  if (isMainThread) for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  return remove;
}

const isOurs = (listener: object): boolean => OURS in listener;

/**
 * Whether a listener is there that says what the signal means. Those of the SDK and of the package signal-exit are none: they only want to be told, and signal-exit
 * raises the signal again as soon as no other listener is left.
 */
function isDecidedByApplication(signal: NodeJS.Signals): boolean {
  const others = process.listeners(signal).filter((listener) => !isOurs(listener));
  return others.length > signalExitListeners();
}

/** How many listeners signal-exit has at each signal: version 4 counts them at an object of globalThis, earlier ones at one of process. */
function signalExitListeners(): number {
  const emitters = [Reflect.get(globalThis, Symbol.for("signal-exit emitter")), Reflect.get(process, "__signal_exit_emitter__")];
  return emitters.reduce<number>((sum, emitter) => sum + countOf(emitter), 0);
}

function countOf(emitter: unknown): number {
  const count = typeof emitter === "object" && emitter !== null && "count" in emitter ? emitter.count : 0;
  return typeof count === "number" ? count : 0;
}

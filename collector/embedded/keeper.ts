import { setTimeout as sleep } from "node:timers/promises";
import { type Log, throttled } from "../base/log.ts";
import { SetupError } from "../base/setup-error.ts";
import { type CollectorLock, takeCollectorLock } from "./collector-lock.ts";
import { readPostmaster } from "./postmaster-file.ts";
import { type ServerAddress, type ServerPlace, startServer, stopServer } from "./server.ts";

export interface KeeperOptions {
  readonly place: ServerPlace;
  readonly address: ServerAddress;
  /** A database of the server that is always there. */
  readonly url: string;
  readonly log: Log;
}

/** Holds the collector's lock on a running server. */
export interface Keeper {
  /** Stops the server, unless another collector has it meanwhile, and only then gives the lock back. */
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;

/**
 * Takes the lock and keeps the server alive: when the lock's session ends, the server is started again if it is gone (killed, for instance,
 * when the machine ran out of memory), and the lock is taken anew. Undefined when another collector holds the lock.
 */
export async function keepServer({ place, address, url, log }: KeeperOptions): Promise<Keeper | undefined> {
  const quiet = throttled(log);
  const stopping = new AbortController();
  let recovery: Promise<void> = Promise.resolve();
  let lock: CollectorLock | undefined = await takeCollectorLock(url, onLost);
  if (lock === undefined) return undefined;

  function onLost(): void {
    lock = undefined;
    if (!stopping.signal.aborted) recovery = recover();
  }

  async function recover(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        if (readPostmaster(place.cluster) === undefined) {
          quiet.warn({}, "the embedded database ended unexpectedly; starting it again");
          await startServer(place, address);
        }
        lock = await takeCollectorLock(url, onLost);
        if (lock === undefined)
          quiet.error({}, "another collector has taken over the embedded database; it will end the database when it stops");
        else quiet.info({}, "the embedded database is there again");
        return;
      } catch (error) {
        const reason = error instanceof SetupError ? error.message : "it takes no connections";
        quiet.error({ reason }, "the embedded database is down");
      }
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  return {
    async stop() {
      stopping.abort();
      await recovery;
      const held = lock;
      if (held === undefined) return;
      await stopServer(place);
      await held.release();
    },
  };
}

import type { Sql } from "postgres";
import type { Log } from "../base/log.ts";
import { RequestError } from "../base/request-error.ts";
import { within } from "../base/within.ts";

export interface HubOptions {
  /** A pool of a login that may LISTEN; one of its connections is used for that while anybody watches. */
  readonly sql: Sql;
  /** Names the channel: collectors on one database with several schemas do not wake each other. */
  readonly schema: string;
  readonly log: Log;
  readonly maxStreams?: number;
  readonly maxStreamsPerProject?: number;
}

/** Who watches, and the hints that wake them. */
export interface LiveHub {
  /** Something of the project has been committed: wakes its streams, here and in other collectors. Never rejects, at most ten messages a second. */
  hint(projectId: number): void;
  /** Takes a place; throws RequestError where too many watch already. */
  join(projectId: number): Watch;
  /** Ends every stream. */
  stop(): Promise<void>;
}

/** One stream's place. */
export interface Watch {
  /** Aborts when the stream must end. */
  readonly signal: AbortSignal;
  /** Resolves after a hint, after the time, or when the stream must end. Hints that came meanwhile count. */
  wait(millis: number): Promise<void>;
  leave(): void;
}

const MAX_STREAMS = 60;
const MAX_STREAMS_PER_PROJECT = 30;
const NOTIFY_EVERY_MS = 100;
/** How long `stop` waits for a database that does not answer. */
const STOP_MS = 2_000;

interface Watcher {
  readonly projectId: number;
  readonly controller: AbortController;
  hinted: boolean;
  wake: () => void;
}

export function createLiveHub(options: HubOptions): LiveHub {
  const { sql, log, maxStreams = MAX_STREAMS, maxStreamsPerProject = MAX_STREAMS_PER_PROJECT } = options;
  const channel = `genspan_live_${options.schema}`;
  const watchers = new Set<Watcher>();
  const waiting = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  let listening: Promise<{ unlisten: () => Promise<void> }> | undefined;
  let stopped = false;

  const wakeAll = (projectId: number): void => {
    for (const watcher of watchers) {
      if (watcher.projectId !== projectId) continue;
      watcher.hinted = true;
      watcher.wake();
    }
  };

  /** A lost hint costs a stream some seconds, so its failure is worth no more than a line. */
  const listen = (): void => {
    if (listening !== undefined || stopped) return;
    listening = sql.listen(channel, (payload) => wakeAll(Number(payload)));
    listening.catch(() => {
      listening = undefined;
      log.warn({}, "live streams are not woken by other collectors at the moment; they look by themselves");
    });
  };

  const unlisten = async (): Promise<void> => (await listening)?.unlisten();

  function send(): void {
    timer = undefined;
    const projects = [...waiting];
    waiting.clear();
    for (const projectId of projects) {
      wakeAll(projectId);
      sql.notify(channel, String(projectId)).catch(() => undefined);
    }
  }

  return {
    hint(projectId) {
      waiting.add(projectId);
      if (timer !== undefined || stopped) return;
      timer = setTimeout(send, NOTIFY_EVERY_MS);
      timer.unref();
    },
    join(projectId) {
      const ofProject = [...watchers].filter((watcher) => watcher.projectId === projectId).length;
      if (stopped || watchers.size >= maxStreams || ofProject >= maxStreamsPerProject)
        throw new RequestError("unavailable", "too many streams are open: close one, or ask again later");
      const watcher: Watcher = { projectId, controller: new AbortController(), hinted: false, wake: () => {} };
      watchers.add(watcher);
      listen();
      return watchOf(watcher, () => watchers.delete(watcher));
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      for (const watcher of watchers) {
        watcher.controller.abort();
        watcher.wake();
      }
      watchers.clear();
      // The session ends with its pool in any case.
      await within(unlisten(), STOP_MS).catch(() => {});
    },
  };
}

function watchOf(watcher: Watcher, leave: () => void): Watch {
  const { signal } = watcher.controller;
  return {
    signal,
    leave() {
      watcher.controller.abort();
      watcher.wake();
      leave();
    },
    async wait(millis) {
      if (!watcher.hinted && !signal.aborted) {
        const woken = Promise.withResolvers<void>();
        watcher.wake = woken.resolve;
        const timer = setTimeout(woken.resolve, millis);
        await woken.promise;
        clearTimeout(timer);
      }
      watcher.hinted = false;
    },
  };
}

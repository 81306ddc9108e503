import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { sweepErasures } from "../commands/erase/index.ts";
import { runUnderLease } from "./lease.ts";

export interface ErasureSweepOptions {
  readonly sql: Sql;
  readonly schema: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  readonly intervalMillis?: number;
}

export interface ErasureSweep {
  /** Rows deleted; undefined where another collector is at it. */
  runOnce(): Promise<number | undefined>;
  start(): void;
  stop(): Promise<void>;
}

const INTERVAL_MS = 30_000;
const LEASE_TTL_MS = 60_000;
/** Far beyond the time in which every collector has heard of an erasure, and has written what it was writing then. */
const WITHIN_MS = 10 * 60_000;

/** Finishes erasures: deletes what was written while they ran, and what a broken-off one left. */
export function createErasureSweep({ sql, schema, holder, log, intervalMillis = INTERVAL_MS }: ErasureSweepOptions): ErasureSweep {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const runOnce = (): Promise<number | undefined> =>
    runUnderLease(sql, { schema, holder, job: "erasures", ttlMillis: LEASE_TTL_MS }, () =>
      sweepErasures({ sql, schema, withinMillis: WITHIN_MS }),
    );
  const runLogged = (): void => {
    running = running.then(runOnce).catch((error: unknown) => {
      log.warn({ code: errorCode(error) }, "erasures could not be looked through; it is tried again");
    });
  };
  return {
    runOnce,
    start() {
      timer = setInterval(runLogged, intervalMillis);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

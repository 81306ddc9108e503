import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { createSchedule } from "../base/schedule.ts";
import { runUnderLease } from "./lease.ts";

/** What every job of a collector is given. */
export interface JobOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  readonly intervalMillis?: number;
}

/** Upkeep of the tables. Every collector has each job; the lease lets one of them at a time work. */
export interface Job<Result> {
  /** Works once; undefined where another collector is at it. Rejects where it fails. */
  runOnce(): Promise<Result | undefined>;
  /** Works now and then by the clock; failures are logged, and the next run tries again. */
  start(): void;
  /** Resolves within two seconds, whatever is in progress. Safe before start and twice. */
  stop(): Promise<void>;
}

export interface JobDescription<Result> {
  /** Names its lease. */
  readonly name: string;
  readonly everyMillis: number;
  readonly leaseTtlMillis: number;
  /** What the log says of a run that failed. */
  readonly failure: string;
  /** Default: warn. */
  readonly failureLevel?: "warn" | "error";
  /** Ends soon after `signal` aborts: the lease was lost, or the collector stops. */
  work(signal: AbortSignal): Promise<Result>;
}

export function createLeasedJob<Result>(
  { sql, schema, holder, log, intervalMillis }: JobOptions,
  { name, everyMillis, leaseTtlMillis, failure, failureLevel = "warn", work }: JobDescription<Result>,
): Job<Result> {
  const runOnce = (): Promise<Result | undefined> =>
    runUnderLease(sql, { schema, holder, job: name, ttlMillis: leaseTtlMillis }, (lost) => work(AbortSignal.any([lost, stopping])));
  const { start, stop, stopping } = createSchedule({
    run: runOnce,
    everyMillis: intervalMillis ?? everyMillis,
    onError: (error) => log[failureLevel]({ code: errorCode(error) }, failure),
  });
  return { runOnce, start, stop };
}

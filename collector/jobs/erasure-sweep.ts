import { sweepErasures } from "../commands/erase/index.ts";
import { createLeasedJob, type Job, type JobOptions } from "./leased-job.ts";

const INTERVAL_MS = 30_000;
const LEASE_TTL_MS = 60_000;
/** Far beyond the time in which every collector has heard of an erasure, and has written what it was writing then. */
const WITHIN_MS = 10 * 60_000;

/** Finishes erasures: deletes what was written while they ran, and what a broken-off one left. Counts the rows. */
export const createErasureSweep = (options: JobOptions): Job<number> =>
  createLeasedJob(options, {
    name: "erasures",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "erasures could not be looked through; it is tried again",
    work: () => sweepErasures({ sql: options.sql, schema: options.schema, withinMillis: WITHIN_MS }),
  });

import { createLeasedJob, type Job, type JobOptions } from "../leased-job.ts";
import type { IsContentName } from "./content-tables.ts";
import { type RemovedContent, removeContent } from "./remove-content.ts";
import { type Reached, readHorizon } from "./windows.ts";

export interface ContentJobOptions extends JobOptions {
  /** Content older than this goes; 0 keeps it. */
  readonly retentionMillis: number;
  /** Where it is kept; undefined keeps nothing. */
  readonly archiveFolder: string | undefined;
  readonly isContentName: IsContentName;
}

const INTERVAL_MS = 3_600_000;
const LEASE_TTL_MS = 60_000;
/** Everything is read again after this long, and by a collector that has just started: its rules of what content is may be others. */
const FULL_EVERY_MS = 24 * INTERVAL_MS;

/** Where content is kept for ever. */
const NOTHING_TO_DO: Job<RemovedContent> = { runOnce: async () => undefined, start() {}, async stop() {} };

/** Takes the content out of rows that are older than it is to be kept; what it has been through is read again once a day, or where it was written since. */
export function createContentJob(options: ContentJobOptions): Job<RemovedContent> {
  const { sql, schema, log, retentionMillis, archiveFolder, isContentName } = options;
  if (retentionMillis === 0) return NOTHING_TO_DO;
  let reached: (Reached & { readonly fullAtMillis: number }) | undefined;
  return createLeasedJob(options, {
    name: "content",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "old content could not be removed; it is tried again",
    failureLevel: "error",
    async work(signal) {
      const now = Date.now();
      const transaction = await readHorizon(sql);
      const before = new Date(now - retentionMillis);
      const since = reached !== undefined && now - reached.fullAtMillis < FULL_EVERY_MS ? reached : undefined;
      const removed = await removeContent({
        ...{ sql, schema, before, isContentName, keepChars: 0, signal },
        ...(since === undefined ? {} : { since }),
        ...(archiveFolder === undefined ? {} : { archiveFolder }),
      });
      if (!signal.aborted) reached = { before, transaction, fullAtMillis: since?.fullAtMillis ?? now };
      const rows = Object.values(removed).reduce((sum, count) => sum + count, 0);
      if (rows > 0) log.info({ rows, archived: archiveFolder !== undefined }, "old content removed");
      return removed;
    },
  });
}

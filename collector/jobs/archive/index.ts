import { createLeasedJob, type Job, type JobOptions } from "../leased-job.ts";
import type { IsContentName } from "./content-tables.ts";
import { type RemovedContent, removeContent } from "./remove-content.ts";

export interface ContentJobOptions extends JobOptions {
  /** Content older than this goes; 0 keeps it. */
  readonly retentionMillis: number;
  /** Where it is kept; undefined keeps nothing. */
  readonly archiveFolder: string | undefined;
  readonly isContentName: IsContentName;
}

const INTERVAL_MS = 3_600_000;
const LEASE_TTL_MS = 60_000;

/** Where content is kept for ever. */
const NOTHING_TO_DO: Job<RemovedContent> = { runOnce: async () => undefined, start() {}, async stop() {} };

/** Takes the content out of rows that are older than it is to be kept. */
export function createContentJob(options: ContentJobOptions): Job<RemovedContent> {
  const { sql, schema, log, retentionMillis, archiveFolder, isContentName } = options;
  if (retentionMillis === 0) return NOTHING_TO_DO;
  return createLeasedJob(options, {
    name: "content",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "old content could not be removed; it is tried again",
    failureLevel: "error",
    async work(signal) {
      const removed = await removeContent({
        ...{ sql, schema, before: new Date(Date.now() - retentionMillis), isContentName, keepChars: 0, signal },
        ...(archiveFolder === undefined ? {} : { archiveFolder }),
      });
      const rows = Object.values(removed).reduce((sum, count) => sum + count, 0);
      if (rows > 0) log.info({ rows, archived: archiveFolder !== undefined }, "old content removed");
      return removed;
    },
  });
}

import { totalmem } from "node:os";
import { type Outcome, retryable } from "../base/outcome.ts";

/** Options of the Collector's memory_limiter, as config/ reads them. */
export interface MemoryLimiterOptions {
  readonly check_interval: number;
  readonly limit_mib: number;
  readonly limit_percentage: number;
  readonly spike_limit_mib: number;
  readonly spike_limit_percentage: number;
}

export interface MemoryLimiter {
  /** The outcome for a new request while memory is short, else undefined. */
  refuse(): Outcome | undefined;
  stop(): void;
}

/** Where the limiter learns of memory; replaced in tests. */
export interface MemorySource {
  readonly residentBytes: () => number;
  readonly totalBytes: () => number;
}

const MIB = 1024 * 1024;
/** Share of the limit kept free for what is already under way, when the configuration names none. */
const DEFAULT_SPIKE_SHARE = 0.2;

const PROCESS_MEMORY: MemorySource = {
  residentBytes: () => process.memoryUsage.rss(),
  /** A container's limit counts when there is one; an unlimited one reports 0 or more than the machine has. */
  totalBytes: () => {
    const limit = process.constrainedMemory();
    return limit > 0 && limit < totalmem() ? limit : totalmem();
  },
};

/**
 * Looks at memory now and then, and turns new requests away (429, come back in a second) above the soft limit: the hard limit less
 * the spike. What was taken in before is still written. Source: memorylimiterprocessor of the OpenTelemetry Collector.
 */
export function createMemoryLimiter(options: MemoryLimiterOptions, source: MemorySource = PROCESS_MEMORY): MemoryLimiter {
  const softLimit = softLimitBytes(options, source.totalBytes());
  let short = false;
  const check = (): void => {
    try {
      short = source.residentBytes() > softLimit;
    } catch {
      // Linux tells it in a file, and there may be no file descriptor left to read it with: what was known before still holds.
    }
  };
  const timer = setInterval(check, options.check_interval);
  timer.unref();
  return {
    refuse: () => (short ? retryable("overload", "memory is short; send the data again") : undefined),
    stop: () => clearInterval(timer),
  };
}

/** Bytes above which new requests are refused. Fixed sizes win over percentages. */
export function softLimitBytes(options: MemoryLimiterOptions, totalBytes: number): number {
  const hard = options.limit_mib > 0 ? options.limit_mib * MIB : (totalBytes * options.limit_percentage) / 100;
  if (options.spike_limit_mib > 0) return hard - options.spike_limit_mib * MIB;
  const share = options.spike_limit_percentage > 0 ? (totalBytes * options.spike_limit_percentage) / 100 : hard * DEFAULT_SPIKE_SHARE;
  return hard - share;
}

import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Config } from "../config/index.ts";

export interface AppOptions {
  readonly config: Config;
  /** A server of one's own; undefined starts the embedded one on `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly embeddedPort: number;
  readonly schema: string;
  readonly log: Log;
  readonly version: string;
}

/** What every part of a collector is put together with. */
export interface Context {
  readonly options: AppOptions;
  /** Says the same thing at most every few seconds. */
  readonly log: Log;
  readonly metrics: Metrics;
  /** What is ended when the collector stops, last begun first. */
  readonly started: AsyncDisposableStack;
  readonly ending: Ending;
}

/** How the collector is asked to stop, and what was left then. */
export interface Ending {
  requested: boolean;
  /** Requests under way get this long. */
  graceMillis: number;
  /** Items that were refused because their time was up. */
  unwritten: number;
}

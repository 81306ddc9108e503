import { type DestinationStream, type Logger, pino } from "pino";
import type { LogLevel } from "./log-level.ts";

/** Structured log: fields first, then a fixed message. No prompt, key, SQL text or file path of a user ever goes in (reliability contract 8). */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** One JSON object per line on standard error (or `destination`): standard output belongs to data and to what a person reads. */
export function createLog(level: LogLevel, destination: DestinationStream = pino.destination({ dest: 2, sync: true })): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
}

/** How often one cause may be logged while it lasts (reliability case OPS-03). */
const REPEAT_AFTER_MS = 10_000;

/**
 * Wraps a log so that `warn` and `error` with the same message appear at most once per 10 s; the next line carries how many were left out.
 * Messages are fixed texts, so the map stays small.
 */
export function throttled(log: Log, now: () => number = () => performance.now()): Log {
  const seen = new Map<string, { at: number; suppressed: number }>();
  const limited =
    (write: Log["warn"]) =>
    (fields: object, message: string): void => {
      const last = seen.get(message);
      if (last !== undefined && now() - last.at < REPEAT_AFTER_MS) {
        last.suppressed++;
        return;
      }
      seen.set(message, { at: now(), suppressed: 0 });
      write(last !== undefined && last.suppressed > 0 ? { ...fields, suppressed: last.suppressed } : fields, message);
    };
  return {
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    warn: limited(log.warn.bind(log)) as Log["warn"],
    error: limited(log.error.bind(log)) as Log["error"],
  };
}

import { createLog, type Log } from "../../collector/base/log.ts";

/** A log line as it is written: its message beside its fields. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A log whose lines a test can read. */
export function recordingLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = createLog("info", { write: (text) => void lines.push(JSON.parse(text)) });
  return { log, lines };
}

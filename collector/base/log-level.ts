/** From the most to the least talkative; a file of its own, so that the command line knows them without loading the logger. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

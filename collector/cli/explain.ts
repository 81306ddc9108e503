import { SetupError } from "../base/setup-error.ts";
import { CommandError, EXIT, type ExitCode } from "./exit-codes.ts";
import { isUsageError } from "./program.ts";
import { BrokenPipe, type Terminal } from "./terminal.ts";

/** Errors of other parts that are one sentence (or one line per fault) for a person, known by name so that those parts need not be loaded. */
const FOR_PEOPLE = new Set(["ConfigError", "SchemaError"]);

/** The SQLSTATE of what a PostgreSQL server said of a statement. */
const sqlStateOf = (error: Error): string | undefined =>
  error.name === "PostgresError" && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** Tells the person what a command threw, and returns the exit code for it. Only a defect of ours shows a stack. */
export function explain(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof BrokenPipe) return EXIT.ok;
  // An error is told also to those who want no notes.
  terminal.tone?.({ quiet: false });
  if (isUsageError(error)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof Error)) {
    terminal.note(String(error));
    return EXIT.failure;
  }
  if (error.stack !== undefined) terminal.detail?.(error.stack);
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined) terminal.note(`The database refused (${sqlState}): ${error.message}`);
  else if (error instanceof CommandError || error instanceof SetupError || FOR_PEOPLE.has(error.name)) terminal.note(error.message);
  else terminal.note(error.stack ?? error.message);
  return error instanceof CommandError ? error.exitCode : EXIT.failure;
}

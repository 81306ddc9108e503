/**
 * Something outside the program keeps the schema from being made or used: a missing right, an old server, a table of another program.
 * The message is one sentence for a person and says what to do; it never carries a password. Callers turn it into their own set-up error.
 */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

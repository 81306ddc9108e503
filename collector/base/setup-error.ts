/**
 * Something outside the program keeps it from starting or from carrying out a command: a port in use, a wrong URL, a missing right.
 * The message is one sentence for a person and says what to do; main prints it alone (no stack) and exits with 1.
 */
export class SetupError extends Error {
  override readonly name = "SetupError";
}

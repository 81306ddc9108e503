/** What a command's exit code tells a script. */
export const EXIT = {
  ok: 0,
  /** It did not work. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  notFound: 3,
  notAuthorised: 4,
  /** The collector or the database does not answer. */
  unreachable: 5,
  /** The command worked and found what it was asked to look for. */
  finding: 10,
  /** Ctrl+C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that ends with a message for the person and an exit code of its own. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

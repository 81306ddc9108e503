import { connect } from "../../collector/actions/connect.ts";
import type { Host } from "../../collector/actions/host.ts";
import type { Actions } from "../../collector/cli/actions.ts";
import type { ExitCode } from "../../collector/cli/exit-codes.ts";
import { explain } from "../../collector/cli/explain.ts";
import { createProgram } from "../../collector/cli/program.ts";
import type { Terminal } from "../../collector/cli/terminal.ts";

export interface CliRun {
  readonly code: ExitCode;
  readonly out: string;
  readonly notes: string;
}

/** Runs command lines of the API's nouns in this process, on a database. */
export function createCliRig(databaseUrl: string): (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<CliRun> {
  const host = { version: "0.0.0" } as Host;
  const actions = { connect: (options) => connect(options, host) } as Pick<Actions, "connect"> as Actions;
  return async (args, env = {}) => {
    let out = "";
    let notes = "";
    const terminal: Terminal = {
      interactive: false,
      style: (_, text) => text,
      note(text) {
        notes += `${text}\n`;
      },
      detail(text) {
        notes += `${text}\n`;
      },
      async write(text) {
        out += text;
      },
    };
    const program = createProgram({ actions, terminal, env: { DATABASE_URL: databaseUrl, ...env }, version: "0.0.0" });
    const code = await program.parseAsync([...args], { from: "user" }).then(
      () => 0 as const,
      (error: unknown) => explain(error, terminal),
    );
    return { code, out, notes };
  };
}

/** The words of a line as a shell takes them: quotes kept together, what goes to files or other programs left out. */
export function shellWords(line: string): string[] {
  const words = line.replace(/ [|>] ?.*$/, "").match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
}

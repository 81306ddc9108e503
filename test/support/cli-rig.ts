import { connect } from "../../collector/actions/connect.ts";
import type { Host } from "../../collector/actions/host.ts";
import type { Actions } from "../../collector/cli/actions.ts";
import type { ExitCode } from "../../collector/cli/exit-codes.ts";
import { explain } from "../../collector/cli/explain.ts";
import { createProgram } from "../../collector/cli/program.ts";
import type { Terminal } from "../../collector/cli/terminal.ts";
import type { ApiRig } from "./api-rig.ts";

/** What a command line did. */
export interface CommandRun {
  readonly code: ExitCode;
  readonly out: string;
  readonly notes: string;
}

/** Runs command lines in this process, on the API of `rig` where they name no other. */
export async function runOn(rig: ApiRig, words: readonly string[]): Promise<CommandRun> {
  const own: Actions["connect"] = async () => ({ request: async (path, init) => rig.app.request(path, init), close: async () => {} });
  const elsewhere = words.some((word) => word === "--url" || word === "--database-url");
  return runWith(elsewhere ? (options) => connect(options, { version: "0.0.0" } as Host) : own, words);
}

/** Runs command lines in this process as the program runs them on a database. */
export const runOnDatabase = (databaseUrl: string, words: readonly string[]): Promise<CommandRun> =>
  runWith((options) => connect(options, { version: "0.0.0" } as Host), words, { DATABASE_URL: databaseUrl });

async function runWith(
  connectTo: Actions["connect"],
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  let out = "";
  let notes = "";
  const note = (text: string): void => {
    notes += `${text}\n`;
  };
  const write = async (text: string): Promise<void> => {
    out += text;
  };
  const terminal: Terminal = { interactive: false, style: (_, text) => text, note, write };
  const actions = { connect: connectTo } as Pick<Actions, "connect"> as Actions;
  const program = createProgram({ actions, terminal, env, version: "0.0.0" });
  const code = await program.parseAsync([...words], { from: "user" }).then(
    () => 0 as const,
    (error: unknown) => explain(error, terminal),
  );
  return { code, out, notes };
}

/** The examples in the help of a noun and of its verbs. */
export async function examplesOf(rig: ApiRig, noun: string, verbs: readonly string[] = []): Promise<string[]> {
  const commands = [[noun], ...verbs.map((verb) => [noun, verb])];
  const helps = await Promise.all(commands.map((words) => runOn(rig, [...words, "--help"])));
  return helps.flatMap(({ out }) =>
    (out.split("\n\n")[0] ?? "")
      .split("\n")
      .slice(1)
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );
}

/** The words of a line as a shell takes them: quotes kept together, what goes to files or other programs left out. */
export function shellWords(line: string): string[] {
  const words = line.replace(/ [|>] ?.*$/, "").match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
}

import type { Command } from "commander";
import { type ApiFlags, connectionOptions, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type CliInput, withExamples } from "./options.ts";

/** Where a collector on this machine serves its pages unless it was told otherwise. */
const LOCAL = "http://127.0.0.1:4319";

export function addOpen(program: Command, input: CliInput): void {
  const command = withApi(program.command("open"), input.env)
    .argument("[path]", "page to open, such as runs or /generations?status=failed", "/")
    .description("open the collector's pages in the browser")
    .action((path: string, flags: ApiFlags) => openPage(input, flags, path));
  withExamples(command, "genspan open", "genspan open 'generations?status=failed&from=-24h'");
}

/**
 * Shows a page of the collector in the browser, and its address on standard error for where there is none. A collector on this machine is taken where no
 * other is named. Throws CommandError where none answers.
 */
export async function openPage({ actions, env, terminal }: CliInput, flags: ApiFlags, path: string): Promise<void> {
  const base = connectionOptions(flags, env).url ?? LOCAL;
  const page = new URL(path.replace(/^\/+/, ""), base.endsWith("/") ? base : `${base}/`);
  if (page.origin !== new URL(base).origin) throw new CommandError(EXIT.usage, "Give the page's path, such as /generations?status=failed.");
  // With a collector it is asked for its life first: a browser that shows an error page ends with no exit code.
  const connection = await actions.connect({ ...connectionOptions(flags, env), url: base });
  await connection.request("/livez").finally(() => connection.close());
  const opened = await actions.openBrowser(page.href);
  terminal.note(opened ? page.href : `No browser could be started here. Open ${page.href}`);
}

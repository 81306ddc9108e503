import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createApiOnly } from "../../../collector/api/api.ts";
import type { Services } from "../../../collector/api/services.ts";
import { createProgram } from "../../../collector/cli/program.ts";
import { repositoryRoot } from "../../support/source-files.ts";

interface Operation {
  readonly summary: string;
  readonly "x-scope": readonly string[];
}

/** The file with its generated part made anew. Run this test with -u to write it. */
function renewed(file: string, part: string, lines: readonly string[]): { readonly path: string; readonly text: string } {
  const path = join(repositoryRoot, file);
  const [head, rest] = readFileSync(path, "utf8").split(`<!-- ${part} -->`);
  const tail = rest?.split(`<!-- /${part} -->`)[1];
  if (head === undefined || tail === undefined) throw new Error(`${file} lacks the marks of its part ${part}`);
  return { path, text: `${head}<!-- ${part} -->\n\n${lines.join("\n")}\n\n<!-- /${part} -->${tail}` };
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

describe("the references", () => {
  it("of the API names every route (write it with: vitest run --project unit test/unit/docs/reference.test.ts -u)", async () => {
    const response = await createApiOnly({ version: "0" } as Services).request("http://localhost/openapi.json");
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, Operation>> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) =>
          `| ${method.toUpperCase()} \`${path}\` | ${operation["x-scope"].join(" or ")} | ${cell(operation.summary)} |`,
      ),
    );
    expect(routes.length).toBeGreaterThan(40);
    const { path, text } = renewed("docs/api.md", "routes", ["| route | scope | answers |", "|---|---|---|", ...routes]);
    await expect(text).toMatchFileSnapshot(path);
  });

  it("of the command line names every command (write it with -u)", async () => {
    const program = createProgram({ actions: {} as never, terminal: {} as never, env: {}, version: "0" });
    const rows = (command: Command, path: string): string[] =>
      command.commands.length > 0
        ? command.commands.flatMap((each) => rows(each, `${path} ${each.name()}`))
        : [`| \`${path}${usageOf(command)}\` | ${cell(command.description())} |`];
    const commands = program.commands.flatMap((each) => rows(each, each.name()));
    expect(commands.length).toBeGreaterThan(40);
    const { path, text } = renewed("docs/cli.md", "commands", ["| command | does |", "|---|---|", ...commands]);
    await expect(text).toMatchFileSnapshot(path);
  });
});

const usageOf = (command: Command): string =>
  command.registeredArguments
    .map((argument) => ` ${argument.required ? `<${argument.name()}${argument.variadic ? "…" : ""}>` : `[${argument.name()}]`}`)
    .join("");

import type { Command } from "commander";
import { type CliInput, databaseOptions, type Flags, withDatabase, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { resultSet } from "./result-set.ts";

/** Projects keep apart what several applications or teams send to one collector. */
export function addProject(program: Command, { actions, env, terminal }: CliInput): void {
  const project = program.command("project").description("projects, whose keys see nothing of each other");
  withExamples(project, "genspan project list", "genspan project create shop");
  const list = withOutput(withDatabase(project.command("list"), env))
    .description("list projects")
    .action(async (flags: Flags) => {
      const rows = await actions.listProjects(databaseOptions(flags, env));
      const cells = rows.map(({ id, name, createdAt }) => [id, name, createdAt]);
      await writeResult(resultSet(["id", "name", "created_at"], cells), flags.output, terminal);
    });
  withExamples(list, "genspan project list -o json");
  const create = withDatabase(project.command("create"), env)
    .argument("<name>", "name, unique among projects")
    .description("make a project; give its id to key create")
    .action(async (name: string, flags: Flags) => {
      const made = await actions.createProject(name, databaseOptions(flags, env));
      await terminal.write(`${made.id}\n`);
      terminal.note(`Make a key for it: genspan key create --name app --project ${made.id}`);
    });
  withExamples(create, "genspan project create shop");
}

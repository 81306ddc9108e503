import type { Command } from "commander";
import { confirm } from "./confirm.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import {
  type CliInput,
  databaseOptions,
  type Flags,
  positiveInteger,
  shortName,
  withArchive,
  withDatabase,
  withExamples,
  withOutput,
} from "./options.ts";
import { writeResult } from "./output.ts";
import { resultSet } from "./result-set.ts";

/** Projects keep apart what several applications or teams send to one collector. */
export function addProject(program: Command, { actions, env, terminal }: CliInput): void {
  const project = program.command("project").description("projects, whose keys see nothing of each other");
  withExamples(project, "genspan project list", "genspan project create shop", "genspan project delete 2 --dry-run");
  const list = withOutput(withDatabase(project.command("list"), env))
    .description("list projects")
    .action(async (flags: Flags) => {
      const rows = await actions.listProjects(databaseOptions(flags, env));
      const cells = rows.map(({ id, name, createdAt }) => [id, name, createdAt]);
      await writeResult(resultSet(["id", "name", "created_at"], cells), flags.output, terminal);
    });
  withExamples(list, "genspan project list -o json");
  const create = withDatabase(project.command("create"), env)
    .argument("<name>", "name, unique among projects", shortName)
    .description("make a project; give its id to key create")
    .action(async (name: string, flags: Flags) => {
      const made = await actions.createProject(name, databaseOptions(flags, env));
      await terminal.write(`${made.id}\n`);
      terminal.note(`Make a key for it: genspan key create --name app --project ${made.id}`);
    });
  withExamples(create, "genspan project create shop");
  const remove = withArchive(withOutput(withDatabase(project.command("delete"), env)))
    .argument("<id>", "its id, as project list tells it", positiveInteger)
    .description("delete a project with everything in it, for good: rows, keys, archived files and logins for SQL")
    .option("--dry-run", "say how many rows would go, and delete nothing")
    .option("--yes", "really do it")
    .action(async (id: number, flags: Flags & { dryRun?: true; yes?: true; archive: string[] }) => {
      const dryRun = flags.dryRun === true;
      if (!dryRun && flags.yes !== true)
        await confirm(
          terminal,
          () => `This deletes project ${id} with everything in it for good.`,
          "A deleted project does not come back: look with --dry-run first, then give --yes.",
        );
      const rows = await actions.deleteProject(id, { ...databaseOptions(flags, env), archiveFolders: flags.archive, dryRun });
      const cells = rows.map(({ table, rows: count }) => [table, count]);
      await writeResult(resultSet(["table", "rows"], cells), flags.output, terminal);
      if (dryRun) return;
      terminal.note(`Project ${id} is gone. Running collectors refuse its keys within two seconds.`);
      const unreached = rows.find(({ table }) => table === "unreached_archives")?.rows ?? 0;
      if (unreached > 0)
        throw new CommandError(EXIT.failure, `Its archived content is not: delete the files content-p${id}-* of the folders told above.`);
    });
  withExamples(remove, "genspan project delete 2 --dry-run", "genspan project delete 2 --yes");
}

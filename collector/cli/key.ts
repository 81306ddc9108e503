import { type Command, Option } from "commander";
import { type Actions, KEY_SCOPES, type KeyScope, type KeySummary } from "./actions.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type CliInput, databaseOptions, type Flags, positiveInteger, withDatabase, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { type Cell, resultSet } from "./result-set.ts";

export function addKey(program: Command, input: CliInput): void {
  const key = program.command("key").description("keys for senders and readers");
  withExamples(key, "genspan key create --name app", "genspan key list");
  addCreate(key, input);
  addList(key, input);
  addRevoke(key, input);
}

interface NewKeyFlags {
  readonly name: string;
  readonly scope: KeyScope[];
  readonly project: number;
  readonly maxRequestsPerSecond?: number;
}

function addCreate(key: Command, { actions, env, terminal }: CliInput): void {
  const command = withDatabase(key.command("create"), env)
    .description("make a key; it is shown once")
    .requiredOption("--name <name>", "what it is for")
    .addOption(new Option("--scope <scope...>", "what it allows").choices(KEY_SCOPES).default(["ingest"]))
    .option("--project <id>", "project it belongs to", positiveInteger, 1)
    .option(
      "--max-requests-per-second <n>",
      "export requests that each collector takes with it; more are told to come back",
      positiveInteger,
    )
    .action(async (flags: Flags & NewKeyFlags) => {
      const { name, scope: scopes, project: projectId, maxRequestsPerSecond } = flags;
      const request = {
        ...databaseOptions(flags, env),
        ...{ name, scopes, projectId },
        ...(maxRequestsPerSecond === undefined ? {} : { maxRequestsPerSecond }),
      };
      const made: Awaited<ReturnType<Actions["createKey"]>> = await actions.createKey(request);
      await terminal.write(`${made.key}\n`);
      terminal.note(`Key ${made.id}. Keep it now: it cannot be shown again.`);
    });
  withExamples(command, "genspan key create --name app", "genspan key create --name grafana --scope read");
}

const COLUMNS = ["id", "name", "project", "scopes", "max_requests_per_second", "created_at", "last_used_at", "revoked_at"];

const cellsOf = (key: KeySummary): Cell[] => [
  key.id,
  key.name,
  key.projectId,
  key.scopes.join(" "),
  key.maxRequestsPerSecond,
  key.createdAt,
  key.lastUsedAt,
  key.revokedAt,
];

function addList(key: Command, { actions, env, terminal }: CliInput): void {
  const command = withOutput(withDatabase(key.command("list"), env))
    .description("list keys; the keys themselves are not kept")
    .action(async (flags: Flags) => {
      const keys = await actions.listKeys(databaseOptions(flags, env));
      await writeResult(resultSet(COLUMNS, keys.map(cellsOf)), flags.output, terminal);
    });
  withExamples(command, "genspan key list", "genspan key list -o json");
}

function addRevoke(key: Command, { actions, env, terminal }: CliInput): void {
  const command = withDatabase(key.command("revoke"), env)
    .argument("<id>", "id of the key, from list")
    .description("end a key; collectors follow within two seconds")
    .action(async (id: string, flags: Flags) => {
      if (!(await actions.revokeKey(id, databaseOptions(flags, env))))
        throw new CommandError(EXIT.notFound, `There is no usable key ${id}: see "genspan key list".`);
      terminal.note(`Key ${id} is revoked.`);
    });
  withExamples(command, "genspan key revoke 0190b1c6-0000-7000-8000-000000000000");
}

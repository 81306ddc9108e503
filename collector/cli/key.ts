import { type Command, InvalidArgumentError, Option } from "commander";
import { type Actions, KEY_SCOPES, type KeyScope, type KeySummary } from "./actions.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import {
  type CliInput,
  databaseOptions,
  type Flags,
  positiveInteger,
  projectOf,
  shortName,
  withDatabase,
  withExamples,
  withOutput,
  withProject,
} from "./options.ts";
import { writeResult } from "./output.ts";
import { type Cell, resultSet } from "./result-set.ts";

export function addKey(program: Command, input: CliInput): void {
  const key = program.command("key").description("keys for senders and readers");
  withExamples(key, "genspan key create --name app", "genspan key list");
  addCreate(key, input);
  addList(key, input);
  addRevoke(key, input);
  addRotate(key, input);
  addSqlLogin(key, input);
}

interface NewKeyFlags {
  readonly name: string;
  readonly scope: KeyScope[];
  readonly project?: number;
  readonly maxRequestsPerSecond?: number;
  readonly expires?: Date;
}

function addCreate(key: Command, { actions, env, terminal }: CliInput): void {
  const command = withProject(withDatabase(key.command("create"), env), "project it belongs to")
    .description("make a key; it is shown once")
    .requiredOption("--name <name>", "what it is for", shortName)
    .addOption(new Option("--scope <scope...>", "what it allows").choices(KEY_SCOPES).default(["ingest"]))
    .option(
      "--max-requests-per-second <n>",
      "export requests that each collector takes with it; more are told to come back",
      positiveInteger,
    )
    .option("--expires <time>", "when it ceases to work, such as 2027-01-31 or 2027-01-31T12:00:00Z", futureTime)
    .action(async (flags: Flags & NewKeyFlags) => {
      const { name, scope, maxRequestsPerSecond, expires } = flags;
      const scopes = [...new Set(scope)];
      const request = {
        ...databaseOptions(flags, env),
        ...{ name, scopes, projectId: projectOf(flags, env) },
        ...(maxRequestsPerSecond === undefined ? {} : { maxRequestsPerSecond }),
        ...(expires === undefined ? {} : { expiresAt: expires }),
      };
      const made: Awaited<ReturnType<Actions["createKey"]>> = await actions.createKey(request);
      await terminal.write(`${made.key}\n`);
      terminal.note(`Key ${made.id}. Keep it now: it cannot be shown again.`);
    });
  withExamples(command, "genspan key create --name app", "genspan key create --name grafana --scope read");
}

const COLUMNS = ["id", "name", "project", "scopes", "max_requests_per_second", "created_at", "last_used_at", "expires_at", "revoked_at"];

const cellsOf = (key: KeySummary): Cell[] => [
  key.id,
  key.name,
  key.projectId,
  key.scopes.join(" "),
  key.maxRequestsPerSecond,
  key.createdAt,
  key.lastUsedAt,
  key.expiresAt,
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

function futureTime(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime()) || time.getTime() <= Date.now())
    throw new InvalidArgumentError("It must be a time in the future.");
  return time;
}

const HOUR_MS = 3_600_000;
const DEFAULT_GRACE_HOURS = 24;

const endOf = (expires: Date | undefined): string => (expires === undefined ? "It has no end." : `It ends at ${expires.toISOString()}.`);

function addRotate(key: Command, { actions, env, terminal }: CliInput): void {
  const command = withDatabase(key.command("rotate"), env)
    .argument("<id>", "id of the key, from list")
    .description("make a new key in place of another, which ends after a time of grace")
    .option("--grace-hours <n>", "how long the old key goes on working", positiveInteger, DEFAULT_GRACE_HOURS)
    .option("--expires <time>", "when the new key ceases to work; without it never, whatever the old one did", futureTime)
    .action(async (id: string, flags: Flags & { graceHours: number; expires?: Date }) => {
      const end = flags.expires === undefined ? {} : { expiresAt: flags.expires };
      const made = await actions.rotateKey(id, { ...databaseOptions(flags, env), graceMillis: flags.graceHours * HOUR_MS, ...end });
      if (made === undefined) throw new CommandError(EXIT.notFound, `There is no usable key ${id}: see "genspan key list".`);
      await terminal.write(`${made.key}\n`);
      terminal.note(
        `Key ${made.id}. Keep it now: it cannot be shown again. ${endOf(flags.expires)} The old one ends in ${flags.graceHours} hours at the latest.`,
      );
    });
  withExamples(command, "genspan key rotate 0190b1c6-0000-7000-8000-000000000000 --grace-hours 48");
}

const GONE = {
  dropped: (login: string) => `The login ${login} is gone.`,
  closed: (login: string) =>
    `The login ${login} lets nobody in any more and may read nothing. Its role is still there, since something in a database belongs to it: see REASSIGN OWNED and DROP OWNED of PostgreSQL.`,
} as const;

function addSqlLogin(key: Command, { actions, env, terminal }: CliInput): void {
  const command = withDatabase(key.command("sql-login"), env)
    .argument("<name>", "name of the login")
    .description("make a login of the database for Grafana or psql, which reads one project and changes nothing; or set its password anew")
    .option("--project <id>", "project that it reads; without it the one that it has, else GENSPAN_PROJECT, else 1", positiveInteger)
    .option("--drop", "take it away instead")
    .action(async (login: string, flags: Flags & { project?: number; drop?: true }) => {
      const database = databaseOptions(flags, env);
      if (flags.drop === true) return terminal.note(GONE[await actions.removeSqlLogin({ ...database, login })](login));
      const project = flags.project === undefined ? {} : { projectId: flags.project };
      const made = await actions.createSqlLogin({ ...database, login, ...project, newProjectId: projectOf({}, env) });
      await terminal.write(`${made.url}\n`);
      terminal.note(`It reads project ${made.projectId}. Keep it now: the password cannot be shown again.`);
    });
  withExamples(command, "genspan key sql-login grafana --project 1", "genspan key sql-login grafana --drop");
}

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { LOG_LEVELS, type LogLevel } from "../base/log.ts";
import { type Actions, type DatabaseOptions, KEY_SCOPES, type KeyScope, type ServeOptions } from "./actions.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { OUTPUT_FORMATS, type OutputFormat, writeResult } from "./output.ts";
import { resultSet } from "./result-set.ts";
import type { Terminal } from "./terminal.ts";

export interface ProgramInput {
  readonly actions: Actions;
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

const DEFAULT_TIMEOUT_SECONDS = 30;

/** The command line. Throws CommanderError for wrong usage, CommandError and SetupError for what went wrong. */
export function createProgram(input: ProgramInput): Command {
  const program = new Command("genspan")
    .description("Telemetry backend for generative-AI software: OpenTelemetry in, committed PostgreSQL rows out.")
    .version(input.version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: (text) => void input.terminal.write(text), writeErr: (text) => input.terminal.note(text.trimEnd()) })
    .addHelpText("after", examples("genspan serve", "genspan doctor", "genspan sql 'select count(*) from generation_logs'"));
  addServe(program, input);
  addDemo(program, input);
  addValidate(program, input);
  addMigrate(program, input);
  addDoctor(program, input);
  addSql(program, input);
  addKey(program, input);
  return program;
}

/** What commander throws: help and version (exit code 0), or a command line that is wrong. */
export const isUsageError = (error: unknown): error is CommanderError => error instanceof CommanderError;

const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;

function withDatabase(command: Command, env: ProgramInput["env"]): Command {
  return command
    .addOption(
      new Option("--database-url <url>", "PostgreSQL 15 or newer; without it the embedded one")
        .env("DATABASE_URL")
        .default(env["DATABASE_URL"], "that of the environment"),
    )
    .addOption(new Option("--data-dir <folder>", "folder of the embedded database").default(env["GENSPAN_DATA_DIR"] ?? "./data"))
    .addOption(new Option("--schema <name>", "schema of the tables").default(env["GENSPAN_SCHEMA"] ?? "public"));
}

const withConfig = (command: Command): Command =>
  command.option(
    "--config <file>",
    "configuration; may be repeated, later files win",
    (file: string, known: string[]) => [...known, file],
    [] as string[],
  );

interface Flags {
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly schema: string;
  readonly config: string[];
  readonly output: OutputFormat;
}

const databaseOptions = (flags: Flags): DatabaseOptions => ({
  databaseUrl: flags.databaseUrl,
  dataDir: flags.dataDir,
  schema: flags.schema,
});

function serveOptions(flags: Flags, env: ProgramInput["env"]): ServeOptions {
  const level = env["GENSPAN_LOG_LEVEL"] ?? "info";
  if (!LOG_LEVELS.includes(level as LogLevel))
    throw new CommandError(EXIT.usage, `GENSPAN_LOG_LEVEL must be one of ${LOG_LEVELS.join(", ")}`);
  return { ...databaseOptions(flags), configFiles: flags.config, host: env["GENSPAN_HOST"] ?? "127.0.0.1", logLevel: level as LogLevel };
}

const output = (): Option => new Option("-o, --output <format>", "form of the output").choices(OUTPUT_FORMATS).default("table");

function addServe(program: Command, { actions, env }: ProgramInput): void {
  withConfig(withDatabase(program.command("serve"), env))
    .description("run the collector and its web pages until Ctrl+C")
    .addHelpText(
      "after",
      examples("genspan serve", "genspan serve --config otel-config.yaml", "DATABASE_URL=postgres://me@db/telemetry genspan serve"),
    )
    .action((flags: Flags) => actions.serve(serveOptions(flags, env)));
}

const DEMO_ROWS = 5_000;
const DEMO_SEED = 7;

function addDemo(program: Command, { actions }: ProgramInput): void {
  withConfig(program.command("demo"))
    .description("run the collector with two weeks of made-up data and a live generator; leaves nothing behind")
    .option("--rows <n>", "about how many model calls of history", positiveInteger, DEMO_ROWS)
    .option("--seed <n>", "another number tells another story", positiveInteger, DEMO_SEED)
    .option("--no-live", "send the history and stop")
    .addHelpText("after", examples("genspan demo", "genspan demo --rows 500 --no-live"))
    .action((flags: Flags & { rows: number; seed: number; live: boolean }) =>
      actions.demo({ rows: flags.rows, seed: flags.seed, live: flags.live, configFiles: flags.config }),
    );
}

function addValidate(program: Command, { actions, terminal }: ProgramInput): void {
  withConfig(program.command("validate"))
    .description("check configuration files without starting")
    .addHelpText("after", examples("genspan validate --config otel-config.yaml"))
    .action(async (flags: Flags) => {
      await actions.validate(flags.config);
      terminal.note("The configuration is valid.");
    });
}

function addMigrate(program: Command, { actions, env, terminal }: ProgramInput): void {
  withDatabase(program.command("migrate"), env)
    .description("bring a database to this version's schema (serve does it by itself)")
    .addHelpText("after", examples("genspan migrate --database-url postgres://me@db/telemetry"))
    .action(async (flags: Flags) => {
      const { applied, version } = await actions.migrate(databaseOptions(flags));
      terminal.note(
        applied.length === 0 ? `Schema version ${version} is up to date.` : `Applied ${applied.join(", ")}; schema version ${version}.`,
      );
    });
}

function addDoctor(program: Command, { actions, env, terminal }: ProgramInput): void {
  withConfig(withDatabase(program.command("doctor"), env))
    .description("check configuration, database and a running collector: sends a span and reads it back")
    .option("--endpoint <url>", "base URL of OTLP/HTTP, by default from the configuration")
    .option("--key <key>", "key with scope ingest")
    .addHelpText("after", examples("genspan doctor", "genspan doctor --endpoint http://127.0.0.1:4318"))
    .action(async (flags: Flags & { endpoint?: string; key?: string }) => {
      let worst: number = EXIT.ok;
      for await (const check of actions.doctor({ ...serveOptions(flags, env), endpoint: flags.endpoint, key: flags.key })) {
        const mark = check.ok ? terminal.style("green", "ok  ") : terminal.style("red", "FAIL");
        await terminal.write(`${mark} ${check.name}: ${check.detail}\n`);
        if (!check.ok) worst = Math.max(worst, check.exitCode ?? EXIT.failure);
      }
      if (worst !== EXIT.ok) throw new CommandError(worst as typeof EXIT.failure, "Something is wrong: see above.");
    });
}

function addSql(program: Command, { actions, env, terminal }: ProgramInput): void {
  withDatabase(program.command("sql"), env)
    .argument("<query>", "one query; it can only read")
    .description("run a query of your own, read-only")
    .addOption(output())
    .option("--project <id>", "project to read", positiveInteger, 1)
    .option("--timeout <seconds>", "give up after", positiveInteger, DEFAULT_TIMEOUT_SECONDS)
    .addHelpText(
      "after",
      examples(
        "genspan sql 'select model_name, count(*) from generation_logs group by 1'",
        "genspan sql -o csv 'select * from failed_generations'",
      ),
    )
    .action(async (query: string, flags: Flags & { project: number; timeout: number }) => {
      const options = { ...databaseOptions(flags), projectId: flags.project, timeoutMillis: flags.timeout * 1000 };
      await writeResult(await actions.sql(query, options), flags.output, terminal);
    });
}

function addKey(program: Command, { actions, env, terminal }: ProgramInput): void {
  const key = program.command("key").description("keys for senders and readers");
  withDatabase(key.command("create"), env)
    .description("make a key; it is shown once")
    .requiredOption("--name <name>", "what it is for")
    .addOption(new Option("--scope <scope...>", "what it allows").choices(KEY_SCOPES).default(["ingest"]))
    .option("--project <id>", "project it belongs to", positiveInteger, 1)
    .addHelpText("after", examples("genspan key create --name app --scope ingest"))
    .action(async (flags: Flags & { name: string; scope: KeyScope[]; project: number }) => {
      const made = await actions.createKey({ ...databaseOptions(flags), name: flags.name, scopes: flags.scope, projectId: flags.project });
      await terminal.write(`${made.key}\n`);
      terminal.note(`Key ${made.id}. Keep it now: it cannot be shown again.`);
    });
  withDatabase(key.command("list"), env)
    .description("list keys; the keys themselves are not kept")
    .addOption(output())
    .addHelpText("after", examples("genspan key list", "genspan key list -o json"))
    .action(async (flags: Flags) => {
      const rows = await actions.listKeys(databaseOptions(flags));
      const columns = ["id", "name", "project", "scopes", "created_at", "last_used_at", "revoked_at"];
      const cells = rows.map((row) => [
        row.id,
        row.name,
        row.projectId,
        row.scopes.join(" "),
        row.createdAt,
        row.lastUsedAt,
        row.revokedAt,
      ]);
      await writeResult(resultSet(columns, cells), flags.output, terminal);
    });
  withDatabase(key.command("revoke"), env)
    .argument("<id>", "id of the key, from list")
    .description("end a key; collectors follow within two seconds")
    .addHelpText("after", examples("genspan key revoke 0190b1c6-0000-7000-8000-000000000000"))
    .action(async (id: string, flags: Flags) => {
      if (!(await actions.revokeKey(id, databaseOptions(flags))))
        throw new CommandError(EXIT.notFound, `There is no usable key ${id}: see "genspan key list".`);
      terminal.note(`Key ${id} is revoked.`);
    });
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number above 0.");
  return Number(text);
}

import { type Command, InvalidArgumentError, Option } from "commander";
import { LOG_LEVELS, type LogLevel } from "../base/log-level.ts";
import type { Actions, ConfigOptions, DatabaseOptions, ServeOptions } from "./actions.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { OUTPUT_FORMATS, type OutputFormat } from "./output.ts";
import { FOLDER_DATABASE, type Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given. */
export interface CliInput {
  readonly actions: Actions;
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** What files and profiles add to the environment, for commands that ask for data. */
  readonly settings?: Settings;
}

/** The flags that several commands share, as commander hands them over. */
export interface Flags {
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly schema: string;
  readonly config: string[];
  readonly set: string[];
  readonly output: OutputFormat;
}

const EMBEDDED_PORT = 4320;
const MAX_PORT = 65_535;

/** A variable of the environment; set and empty means unset, as shells and compose files leave it. */
export const variable = (env: CliInput["env"], name: string): string | undefined => env[name] || undefined;

/** Help of a command begins with what one would type. */
export const withExamples = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText("before", `Examples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`);

export function withDatabase(command: Command, env: CliInput["env"]): Command {
  return (
    command
      // No default of its own: help prints defaults, and the URL holds a password.
      .option("--database-url <url>", "PostgreSQL 15 or newer; without it DATABASE_URL, else the embedded one")
      .option("--data-dir <folder>", "folder of the embedded database", variable(env, "GENSPAN_DATA_DIR") ?? "./data")
      .option("--schema <name>", "schema of the tables", variable(env, "GENSPAN_SCHEMA") ?? "public")
  );
}

const collected = (value: string, known: string[]): string[] => [...known, value];

export const withConfig = (command: Command): Command =>
  command
    .option("--config <file>", "configuration; may be repeated, later files win", collected, [] as string[])
    .option("--set <key=value>", "one value of it, such as exporters.debug.verbosity=normal; may be repeated", collected, [] as string[]);

/** For what takes content away for good: it must find archived content, too. */
export const withArchive = (command: Command): Command =>
  command.option(
    "--archive <folder>",
    "folder of archived content, should it have moved; those that content went to are known; may be repeated",
    collected,
    [] as string[],
  );

export const configOptions = ({ config, set }: Flags): ConfigOptions => ({ configFiles: config, configSets: set });

export const withOutput = (command: Command): Command =>
  command.addOption(new Option("-o, --output <format>", "form of the output").choices(OUTPUT_FORMATS).default("table"));

/** Throws CommandError where the driver would send the environment's password to a database that the folder's file chose. */
export function databaseOptions({ databaseUrl, dataDir, schema }: Flags, env: CliInput["env"]): DatabaseOptions {
  const url = databaseUrl ?? variable(env, "DATABASE_URL");
  const folder = databaseUrl === undefined ? variable(env, FOLDER_DATABASE) : undefined;
  const hasPassword = url !== undefined && URL.canParse(url) && new URL(url).password !== "";
  if (folder !== undefined && !hasPassword && variable(env, "PGPASSWORD") !== undefined)
    throw new CommandError(
      EXIT.usage,
      `PGPASSWORD is not sent to the database of ${folder}, which may be anybody's: if you trust it, give --database-url or DATABASE_URL, or keep the address in ~/.config/genspan/config.json.`,
    );
  return { databaseUrl: url, dataDir, schema };
}

/** Throws CommandError for a variable of the environment that means nothing. */
export function serveOptions(flags: Flags, env: CliInput["env"]): ServeOptions {
  const level = variable(env, "GENSPAN_LOG_LEVEL") ?? "info";
  if (!LOG_LEVELS.includes(level as LogLevel))
    throw new CommandError(EXIT.usage, `GENSPAN_LOG_LEVEL must be one of ${LOG_LEVELS.join(", ")}.`);
  return { ...databaseOptions(flags, env), ...configOptions(flags), embeddedPort: embeddedPort(env), logLevel: level as LogLevel };
}

/** The flag of commands that are about one project; `projectOf` says which that is. */
export const withProject = (command: Command, description: string): Command =>
  command.option("--project <id>", `${description}; else GENSPAN_PROJECT, else 1`, positiveInteger);

/** The project of a flag, else of the environment or a profile. Throws CommandError for a variable that is no number of a project. */
export function projectOf({ project }: { readonly project?: number }, env: CliInput["env"]): number {
  if (project !== undefined) return project;
  const text = variable(env, "GENSPAN_PROJECT") ?? "1";
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new CommandError(EXIT.usage, "GENSPAN_PROJECT must be a whole number above 0.");
  return Number(text);
}

/** Port of the embedded database; 0 takes a free one. */
export function embeddedPort(env: CliInput["env"]): number {
  const text = variable(env, "GENSPAN_EMBEDDED_PORT") ?? String(EMBEDDED_PORT);
  if (!/^\d{1,5}$/.test(text) || Number(text) > MAX_PORT)
    throw new CommandError(EXIT.usage, `GENSPAN_EMBEDDED_PORT must be a port from 0 to ${MAX_PORT}; 0 takes a free one.`);
  return Number(text);
}

const MAX_NAME_CHARS = 200;

/** Reads the name of a key or a project, as the API takes it. */
export function shortName(text: string): string {
  if (text.trim() === "" || text.length > MAX_NAME_CHARS) throw new InvalidArgumentError(`It must have 1 to ${MAX_NAME_CHARS} characters.`);
  return text;
}

/** Reads the value of an option that counts something. */
export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number above 0.");
  return Number(text);
}

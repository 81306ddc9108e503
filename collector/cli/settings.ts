import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, EXIT } from "./exit-codes.ts";

/** What files and the environment may say about where commands find their data. */
export const SETTINGS = ["url", "key", "database_url", "data_dir", "schema", "project"] as const;
export type SettingName = (typeof SETTINGS)[number];
type Values = Readonly<Partial<Record<SettingName, string>>>;

export const VARIABLES: Readonly<Record<SettingName, string>> = {
  url: "GENSPAN_URL",
  key: "GENSPAN_KEY",
  database_url: "DATABASE_URL",
  data_dir: "GENSPAN_DATA_DIR",
  schema: "GENSPAN_SCHEMA",
  project: "GENSPAN_PROJECT",
};
/** Where a key of a file is handed on: it goes to the address that stands beside it, and to no other. */
export const FILE_KEY = "GENSPAN_KEY_OF_FILE";
/** Set where the address is that of the folder's file: a folder of somebody else must not fetch the environment's key. */
export const FOLDER_URL = "GENSPAN_URL_OF_FOLDER";
/** The same of a database, which must not fetch PGPASSWORD. */
export const FOLDER_DATABASE = "GENSPAN_DATABASE_OF_FOLDER";

type Env = Readonly<Record<string, string | undefined>>;

/** One setting as it holds, and who said so. */
export interface Setting {
  readonly name: SettingName;
  readonly value: string;
  readonly origin: string;
}

export interface Settings {
  /** The environment with what the files add to it. */
  readonly env: Env;
  readonly effective: readonly Setting[];
  /** Names of profiles, the chosen one first, with the file of each. */
  readonly profiles: readonly { readonly name: string; readonly origin: string; readonly chosen: boolean }[];
  /** What is wrong with a file or the choice of a profile. */
  readonly fault: CommandError | undefined;
}

interface SettingsFile {
  readonly origin: string;
  readonly from: "folder" | "person";
  readonly values: Values;
  readonly profile: string | undefined;
  readonly profiles: Readonly<Record<string, Values>>;
}

/** Values of one source; an earlier one beats a later one. */
interface Layer {
  readonly origin: string;
  readonly values: Values;
  readonly from: "environment" | SettingsFile["from"];
}

const PROJECT_FILE = "genspan.config.json";
const FOLDER_ORIGIN = `./${PROJECT_FILE}`;

type FileName = Pick<SettingsFile, "origin" | "from"> & { readonly path: string };

/** Files that are read: of the folder one works in, then of the person (XDG). */
function filesOf(env: Env, folder: string): FileName[] {
  const home = env["HOME"] || undefined;
  const ownFolder = env["XDG_CONFIG_HOME"] || (home === undefined ? undefined : join(home, ".config"));
  const own = ownFolder === undefined ? [] : [join(ownFolder, "genspan", "config.json")];
  return [
    { origin: FOLDER_ORIGIN, from: "folder", path: join(folder, PROJECT_FILE) },
    ...own.map((path): FileName => ({ origin: path, from: "person", path })),
  ];
}

/** The value of `--profile` on a command line: it is needed before the line is read as a whole. */
export function profileFlag(args: readonly string[]): string | undefined {
  const own = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  const joined = own.find((each) => each.startsWith("--profile="));
  if (joined !== undefined) return joined.slice("--profile=".length);
  const at = own.indexOf("--profile");
  return at < 0 ? undefined : own[at + 1];
}

/**
 * Settings of commands: a profile that the command line names, then the environment, then a profile that the environment or a file names, then files. Never
 * throws: help and commands without data work beside a broken file.
 */
export function readSettings(env: Env, flag: string | undefined, folder = "."): Settings {
  try {
    const files = filesOf(env, folder).flatMap((each) => readSettingsFile(each) ?? []);
    const chosen = flag ?? (env["GENSPAN_PROFILE"] || undefined) ?? files.find(({ profile }) => profile !== undefined)?.profile;
    const profiles = files.flatMap(({ origin, from, profiles: named }) =>
      Object.entries(named).map(([name, values]) => ({ name, origin, from, values, chosen: name === chosen })),
    );
    if (chosen !== undefined && !profiles.some((each) => each.chosen)) throw noSuchProfile(chosen, profiles);
    const ofProfile: Layer[] = profiles
      .filter((each) => each.chosen)
      .map(({ name, origin, from, values }) => ({ origin: `profile ${name} of ${origin}`, values, from }));
    const ofEnvironment = SETTINGS.flatMap((name): Layer[] => {
      const value = env[VARIABLES[name]] || undefined;
      return value === undefined ? [] : [{ origin: VARIABLES[name], values: { [name]: value }, from: "environment" }];
    });
    const ofFiles = files.map(({ origin, values, from }): Layer => ({ origin, values, from }));
    const layers = flag === undefined ? [...ofEnvironment, ...ofProfile, ...ofFiles] : [...ofProfile, ...ofEnvironment, ...ofFiles];
    const effective = effectiveOf(layers);
    return {
      env: environmentOf(env, effective),
      effective: effective.map(({ name, value, layer }) => ({ name, value, origin: layer.origin })),
      profiles,
      fault: undefined,
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { env, effective: [], profiles: [], fault: error };
  }
}

interface Effective {
  readonly name: SettingName;
  readonly value: string;
  readonly layer: Layer;
}

/** Where the data are is one question: the first source that names a collector or a database answers it, and a key of a file belongs to the address beside it. */
function effectiveOf(layers: readonly Layer[]): Effective[] {
  const place = layers.find(({ values }) => values.url !== undefined || values.database_url !== undefined);
  // The environment may name both; each variable is a source of its own there.
  const isOfPlace = (layer: Layer): boolean => layer === place || (place?.from === "environment" && layer.from === "environment");
  const isForeign = place !== undefined && isOfStrangers(place);
  const mayGive = (layer: Layer, name: SettingName): boolean => {
    if (name === "url" || name === "database_url") return isOfPlace(layer);
    return name === "key" && (isFile(layer) || isForeign) ? layer === place : true;
  };
  return SETTINGS.flatMap((name) => {
    const layer = layers.find((each) => each.values[name] !== undefined && mayGive(each, name));
    return layer === undefined ? [] : [{ name, value: layer.values[name] ?? "", layer }];
  });
}

const isFile = ({ from }: Layer): boolean => from !== "environment";

/** Host names as URL writes them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether a layer names an address that whoever made the folder chose, on another machine. */
function isOfStrangers({ from, values: { url } }: Layer): boolean {
  if (from !== "folder" || url === undefined) return false;
  return !URL.canParse(url) || !LOOPBACK.test(new URL(url).hostname);
}

/** Drivers read odd addresses differently (lists of hosts, a second @): only one that leaves nothing to read counts as this machine's. */
const LOCAL_DATABASE = /^postgres(?:ql)?:\/\/(?:[^@/?#,\\]*@)?(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])?(?::\d{1,5})?(?:[/?]|$)/;

/** Whether a layer names a database that whoever made the folder chose, on another machine. */
function isDatabaseOfStrangers({ from, values: { database_url: url } }: Layer): boolean {
  if (from !== "folder" || url === undefined) return false;
  return !LOCAL_DATABASE.test(url) || !URL.canParse(url) || ["host", "hostaddr"].some((name) => new URL(url).searchParams.has(name));
}

function environmentOf(env: Env, effective: readonly Effective[]): Env {
  const known = Object.fromEntries(
    effective.map(({ name, value, layer }) => [name === "key" && isFile(layer) ? FILE_KEY : VARIABLES[name], value]),
  );
  const none = Object.fromEntries([...Object.values(VARIABLES), FILE_KEY, FOLDER_URL, FOLDER_DATABASE].map((name) => [name, undefined]));
  const foreign = effective.find(({ name, layer }) => name === "url" && isOfStrangers(layer));
  // The command line may name another address, to which the environment's key may go.
  const withheld = foreign === undefined ? {} : { [VARIABLES.key]: env[VARIABLES.key], [FOLDER_URL]: foreign.layer.origin };
  const database = effective.find(({ name, layer }) => name === "database_url" && isDatabaseOfStrangers(layer));
  return { ...env, ...none, ...known, ...withheld, ...(database === undefined ? {} : { [FOLDER_DATABASE]: database.layer.origin }) };
}

const noSuchProfile = (name: string, profiles: readonly { readonly name: string }[]): CommandError =>
  new CommandError(
    EXIT.usage,
    profiles.length === 0
      ? `There is no profile ${name}: name it under "profiles" in ${FOLDER_ORIGIN} or ~/.config/genspan/config.json.`
      : `There is no profile ${name}; there are ${[...new Set(profiles.map((each) => each.name))].join(", ")}.`,
  );

function readSettingsFile({ origin, from, path }: FileName): SettingsFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw new CommandError(EXIT.usage, `The file ${origin} cannot be read: check its rights.`);
  }
  const fault = (what: string): CommandError => new CommandError(EXIT.usage, `The file ${origin} ${what}.`);
  let json: unknown;
  try {
    // Editors on Windows put a byte order mark first.
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw fault("is no JSON");
  }
  const { profile, profiles = {}, ...values } = objectOf(json, () => fault("must hold an object"));
  if (profile !== undefined && typeof profile !== "string") throw fault("must have the name of a profile in profile");
  const named = Object.entries(objectOf(profiles, () => fault("must have an object in profiles")));
  return {
    origin,
    from,
    values: valuesOf(values, fault),
    profile,
    profiles: Object.fromEntries(
      named.map(([name, each]) => [
        name,
        valuesOf(
          objectOf(each, () => fault(`must have an object in profiles.${name}`)),
          fault,
        ),
      ]),
    ),
  };
}

function objectOf(value: unknown, fault: () => CommandError): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault();
  return value as Readonly<Record<string, unknown>>;
}

function valuesOf(values: Readonly<Record<string, unknown>>, fault: (what: string) => CommandError): Values {
  const unknown = Object.keys(values).filter((name) => !SETTINGS.some((known) => known === name));
  if (unknown.length > 0) throw fault(`has no use for ${unknown.join(", ")}: there are ${SETTINGS.join(", ")}, profile, profiles`);
  const entries = Object.entries(values).map(([name, value]) => {
    if (typeof value !== "string" && typeof value !== "number") throw fault(`must have a text in ${name}`);
    if (name === "project" && !/^[1-9]\d{0,8}$/.test(String(value))) throw fault("must have a whole number above 0 in project");
    return [name, String(value)];
  });
  return Object.fromEntries(entries) as Values;
}

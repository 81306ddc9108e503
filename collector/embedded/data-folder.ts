import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SetupError } from "../base/setup-error.ts";
import { canEnter, type ServiceAccount } from "./service-account.ts";

/** Where data goes when the wanted folder is closed to the server's user. Never a folder that the system empties. */
const SHARED_FOLDER = "/var/lib/genspan";

const STATE_FILE = "embedded.json";
const PASSWORD_FILE = "password";

/** How other programs on this machine find the running embedded database. */
export interface EmbeddedState {
  /** The owner's connection URL. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The collector that started it. */
  readonly pid: number;
}

/** The folder that stands in for `dataDir` where the server's user cannot go there. The same on every start. */
export const substituteFor = (dataDir: string): string =>
  join(SHARED_FOLDER, createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 12));

export const binariesFolder = (): string => join(SHARED_FOLDER, "binaries");

/** Makes the data folder, or its substitute, and returns the one to use. */
export function openDataFolder(dataDir: string, account: ServiceAccount | undefined, onSubstitute: (folder: string) => void): string {
  const wanted = resolve(dataDir);
  makeFolder(wanted);
  if (canEnter(account, wanted)) return wanted;
  const substitute = substituteFor(dataDir);
  makeFolder(substitute);
  onSubstitute(substitute);
  return substitute;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOSPC"
        ? "the disk is full"
        : code === "EEXIST" || code === "ENOTDIR"
          ? "a file stands in its place"
          : "it is not writable";
    throw new SetupError(`The data folder ${folder} cannot be used (${why}): set GENSPAN_DATA_DIR to a folder that can.`);
  }
}

/**
 * Whether the cluster folder holds a cluster that these binaries can run; false when it is yet to be made.
 * Throws SetupError for one of another version, or for files that are none of ours.
 */
export function hasCluster(cluster: string, majorVersion: number): boolean {
  if (!existsSync(cluster)) return false;
  const versionFile = join(cluster, "PG_VERSION");
  if (existsSync(versionFile)) {
    const version = readFileSync(versionFile, "utf8").trim();
    if (version === String(majorVersion)) return true;
    throw new SetupError(
      `The data in ${cluster} was written by PostgreSQL ${version} and this is ${majorVersion}: use the genspan version that wrote it to export, or set GENSPAN_DATA_DIR to another folder.`,
    );
  }
  if (readdirSync(cluster).length === 0) return false;
  throw new SetupError(`The folder ${cluster} holds files that are no database: set GENSPAN_DATA_DIR to another folder.`);
}

/** The owner's password: made once, readable by our own user only. */
export function readPassword(folder: string): string {
  const file = join(folder, PASSWORD_FILE);
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const password = randomBytes(24).toString("base64url");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

export function writeState(folder: string, state: EmbeddedState): void {
  writeFileSync(join(folder, STATE_FILE), `${JSON.stringify(state)}\n`, { mode: 0o600 });
}

/** The embedded database of a data folder (or of its substitute), if one was started there. Whether it still answers is for the caller to find out. */
export function readEmbeddedState(dataDir: string): EmbeddedState | undefined {
  for (const folder of [resolve(dataDir), substituteFor(dataDir)]) {
    const file = join(folder, STATE_FILE);
    if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as EmbeddedState;
  }
  return undefined;
}

import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "../base/setup-error.ts";
import { possibleFolders } from "./data-folder.ts";
import { readPostmaster } from "./postmaster-file.ts";

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

/**
 * The owner's password: made once, readable by our own user only. Throws SetupError where a cluster exists and its password is gone.
 * Of two first starts at once one writes the file and both read it.
 */
export function readPassword(folder: string, clusterExists: boolean): string {
  const file = join(folder, PASSWORD_FILE);
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  if (clusterExists)
    throw new SetupError(
      `The file ${file} is missing and the database asks for its password: restore it, or choose another GENSPAN_DATA_DIR.`,
    );
  const partial = writePartial(file, `${randomBytes(24).toString("base64url")}\n`);
  try {
    linkSync(partial, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(partial);
  }
  return readFileSync(file, "utf8").trim();
}

export function writeState(folder: string, state: EmbeddedState): void {
  replaceFile(join(folder, STATE_FILE), `${JSON.stringify(state)}\n`);
}

export function removeState(folder: string): void {
  rmSync(join(folder, STATE_FILE), { force: true });
}

/**
 * The running embedded database of a data folder (or of its substitute); undefined when none runs there. One that a killed collector left
 * behind counts. Throws SetupError where it belongs to another user.
 */
export function readEmbeddedState(dataDir: string): EmbeddedState | undefined {
  for (const folder of possibleFolders(dataDir)) {
    const file = join(folder, STATE_FILE);
    if (existsSync(file) && isRunning(folder)) return JSON.parse(readOwn(file)) as EmbeddedState;
  }
  return undefined;
}

/** The server's own folder is closed to all but its user (and root); for others the state file has to do. */
function isRunning(folder: string): boolean {
  try {
    return readPostmaster(join(folder, "postgres")) !== undefined;
  } catch {
    return true;
  }
}

function readOwn(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new SetupError(
      "The embedded database belongs to another user: run the command as the user that started the collector, or give --database-url.",
    );
  }
}

/** A reader sees the old text or the new one, never a part; so does the next start after a power cut. */
function replaceFile(file: string, text: string): void {
  renameSync(writePartial(file, text), file);
}

function writePartial(file: string, text: string): string {
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, text, { mode: 0o600, flush: true });
  return partial;
}

import { createHash } from "node:crypto";
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SetupError } from "../base/setup-error.ts";
import { canEnter, findServiceAccount, runsAsRoot, type ServiceAccount } from "./service-account.ts";

/** Where data and binaries go when the wanted folder is closed to the server's user. Never a folder that the system empties. */
const SHARED_FOLDER = "/var/lib/genspan";

/** PGDATA, inside the data folder. */
export const CLUSTER = "postgres";

/** What a data folder of ours may hold before its cluster is complete; of a volume also what its file system puts there. */
const HARMLESS = /^(postgres($|\.)|password($|\.)|binaries$|lost\+found$|\.)/;

export interface DataPlace {
  /** The folder really used: the wanted one, or what stands in for it. */
  readonly folder: string;
  /** Who the server runs as; undefined for ourselves. */
  readonly account: ServiceAccount | undefined;
  readonly isSubstitute: boolean;
}

/** The folder that stands in for `dataDir` where the server's user cannot go there. The same on every start. */
export const substituteFor = (dataDir: string): string =>
  join(SHARED_FOLDER, createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 12));

/** Where a database of `dataDir` can be. */
export const possibleFolders = (dataDir: string): string[] => [resolve(dataDir), substituteFor(dataDir)];

/** Where root keeps a copy of the binaries that other users can run. */
export const binariesFolder = (): string => join(SHARED_FOLDER, "binaries");

/**
 * Decides where the data lives and who the server runs as, and makes the folder. What exists already decides: a cluster stays where it is
 * and with its owner. Throws SetupError for a folder that cannot be used.
 */
export function placeData(dataDir: string): DataPlace {
  const wanted = resolve(dataDir);
  const substitute = substituteFor(dataDir);
  if (holdsCluster(wanted)) return existingPlace(wanted);
  if (runsAsRoot() && holdsCluster(substitute)) return { ...existingPlace(substitute), isSubstitute: true };

  makeFolder(wanted);
  refuseForeign(wanted);
  const account = newAccount();
  if (canEnter(account, wanted) || openFolder(account, wanted)) return { folder: wanted, account, isSubstitute: false };
  makeShared(substitute);
  return { folder: substitute, account, isSubstitute: true };
}

const holdsCluster = (folder: string): boolean => existsSync(join(folder, CLUSTER, "PG_VERSION")) || isClosedCluster(folder);

/** The files of another user's cluster cannot be seen, its folder can. */
function isClosedCluster(folder: string): boolean {
  try {
    accessSync(join(folder, CLUSTER), constants.R_OK | constants.X_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" && existsSync(join(folder, CLUSTER));
  }
}

function existingPlace(folder: string): DataPlace {
  const { uid, gid } = statSync(join(folder, CLUSTER));
  const ours = process.getuid?.() ?? uid;
  if (!runsAsRoot()) {
    if (uid === ours) return { folder: usable(folder), account: undefined, isSubstitute: false };
    throw new SetupError(
      `The database in ${folder} belongs to another user (uid ${uid}): start genspan as that user, or set GENSPAN_DATA_DIR to another folder.`,
    );
  }
  const account = { name: `uid ${uid}`, uid, gid };
  if (canEnter(account, folder)) return { folder: usable(folder), account, isSubstitute: false };
  throw new SetupError(
    `The user (uid ${uid}) of the database in ${folder} cannot enter that folder: open the folders above it (chmod o+x), or move it elsewhere and set GENSPAN_DATA_DIR.`,
  );
}

function newAccount(): ServiceAccount | undefined {
  const account = findServiceAccount();
  if (account !== null) return account;
  throw new SetupError(
    "PostgreSQL does not run as root and no user postgres, nobody or daemon exists: create one, start as an ordinary user, or set DATABASE_URL.",
  );
}

/** A data folder of root's own that is closed (as temporary folders are made) is opened for passing through; nothing in it becomes readable. */
function openFolder(account: ServiceAccount | undefined, folder: string): boolean {
  const { uid, mode } = statSync(folder);
  if (uid !== 0 || !canEnter(account, dirname(folder))) return false;
  chmodSync(folder, (mode & 0o777) | 0o011);
  return canEnter(account, folder);
}

/** Makes a folder of SHARED_FOLDER that all users can read, also where root's umask closes new folders to them. */
export function makeShared(folder: string): void {
  makeFolder(folder);
  for (const each of [SHARED_FOLDER, folder]) chmodSync(each, 0o755);
}

function makeFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw cannotUse(folder, error);
  }
  usable(folder);
}

/** Not Node's `recursive`: that never ends where a file system has a folder and says of what is to be made in it that there is none (as /proc does). */
function makeFolders(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o755 });
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || existsSync(dirname(folder))) throw error;
    makeFolders(dirname(folder));
    makeFolders(folder);
  }
}

function usable(folder: string): string {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    throw cannotUse(folder, error);
  }
}

function cannotUse(folder: string, error: unknown): SetupError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const reasons: Record<string, string> = {
    ENOSPC: "the disk is full",
    EROFS: "the disk is read-only",
    EEXIST: "a file stands in its place",
    ENOTDIR: "a file stands in its place",
  };
  const why = reasons[code] ?? "it is not writable";
  return new SetupError(`The data folder ${folder} cannot be used (${why}): set GENSPAN_DATA_DIR to a folder that can.`);
}

/** Guards against a home folder, or another program's data, given by mistake. */
function refuseForeign(folder: string): void {
  const foreign = [...readdirSync(folder).filter((name) => !HARMLESS.test(name)), ...foreignInCluster(join(folder, CLUSTER))];
  if (foreign.length === 0) return;
  throw new SetupError(
    `The data folder ${folder} holds files that are not genspan's (such as ${foreign[0]}): set GENSPAN_DATA_DIR to an empty or a new folder.`,
  );
}

const foreignInCluster = (cluster: string): string[] =>
  existsSync(cluster) ? readdirSync(cluster).map((name) => join(CLUSTER, name)) : [];

/** Throws SetupError where the cluster was written by another major version, which this one cannot read. */
export function checkVersion(cluster: string, majorVersion: number): void {
  const version = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
  if (version === String(majorVersion)) return;
  throw new SetupError(
    `The data in ${cluster} was written by PostgreSQL ${version} and this is ${majorVersion}: use the genspan version that wrote it to export, or set GENSPAN_DATA_DIR to another folder.`,
  );
}

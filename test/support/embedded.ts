import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { CLUSTER } from "../../collector/embedded/data-folder.ts";
import { type EmbeddedDatabase, startEmbedded } from "../../collector/embedded/index.ts";
import { type Postmaster, readPostmaster } from "../../collector/embedded/postmaster-file.ts";
import { killAll } from "./cluster.ts";
import { guardFolder } from "./folder-guard.ts";
import { type LogLine, recordingLog } from "./recording-log.ts";

const OWNER_SCRIPT = join(import.meta.dirname, "embedded-owner.ts");

export interface StartOptions {
  readonly dataDir: string;
  readonly host?: string;
  readonly port?: number;
  readonly nativeFolder?: string;
}

/** What an owning process says of itself. */
export interface OwnerReport {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly error?: { readonly name: string; readonly message: string };
  readonly lines: readonly LogLine[];
}

export interface Owner extends OwnerReport {
  readonly process: ChildProcess;
  /** Sends a signal to it (to its whole group: `group`) and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const defaults = { host: "127.0.0.1", port: 0 };
const cleanUps: (() => Promise<void>)[] = [];

/** For afterEach: ends every server that a test has started here, and deletes its folders. */
export async function cleanUpEmbedded(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}

/** A new folder that every user can enter; gone after the test with the server that ran in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "genspan-embedded-"));
  chmodSync(folder, 0o755);
  const guard = guardFolder(folder);
  cleanUps.push(async () => {
    await removeDatabase(folder);
    guard.release();
  });
  return folder;
}

/** A data folder in which an empty database was made before: most tests are not about making it, which takes half a second of CPU. */
export async function folderWithDatabase(): Promise<string> {
  template ??= await makeTemplate();
  const folder = temporaryFolder();
  execFileSync("cp", ["-a", `${template}/.`, folder]);
  return folder;
}

let template: string | undefined;

async function makeTemplate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "genspan-embedded-template-"));
  chmodSync(folder, 0o755);
  guardFolder(folder);
  const { stop } = await startEmbedded({ ...defaults, dataDir: folder, log: recordingLog().log });
  await stop();
  return folder;
}

/** Also for a folder of which the program itself has chosen the name. */
export const removeAfterTest = (folder: string): void => void cleanUps.push(() => removeDatabase(folder));

async function removeDatabase(folder: string): Promise<void> {
  await killAll(serverOn(folder)?.pid ?? 0);
  rmSync(folder, { recursive: true, force: true });
}

export const serverOn = (dataDir: string): Postmaster | undefined => readPostmaster(join(dataDir, CLUSTER));

/** Starts in this process. */
export async function start(options: StartOptions): Promise<EmbeddedDatabase & { readonly lines: readonly LogLine[] }> {
  const { log, lines } = recordingLog();
  const database = await startEmbedded({ ...defaults, ...options, log });
  cleanUps.push(() => database.stop());
  return { ...database, lines };
}

/** Starts in a process of its own, as another user if one is given; resolves with its report, also when it failed. */
export async function startOwner(options: StartOptions, user?: { uid: number; gid: number }): Promise<Owner> {
  const child = spawn(process.execPath, [OWNER_SCRIPT, JSON.stringify({ ...defaults, ...options })], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    ...user,
  });
  const exited = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  cleanUps.push(() => end("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { ...(JSON.parse(line) as OwnerReport), process: child, end };
}

/** One question to the database. */
export async function ask<Row extends object>(url: string, question: (sql: Sql) => PromiseLike<readonly object[]>): Promise<Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    return [...(await question(sql))] as Row[];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Tries until the database answers; throws its last error when it does not within 20 s. */
export async function askUntilAnswered<Row extends object>(
  url: string,
  question: (sql: Sql) => PromiseLike<readonly object[]>,
): Promise<Row[]> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await ask<Row>(url, question);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

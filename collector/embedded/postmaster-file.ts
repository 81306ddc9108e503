import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A live server as it describes itself in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** It takes connections. */
  readonly ready: boolean;
}

/** Beyond what any system gives to a process, so nobody has it. */
const NOBODYS_PID = 2_147_483_646;

const fileOf = (cluster: string): string => join(cluster, "postmaster.pid");

/** The server that runs on the cluster folder, or undefined. Lines: pid, folder, start time, port, socket folder, address, memory key, status. */
export function readPostmaster(cluster: string): Postmaster | undefined {
  const [pid = "", , , port = "", , host = "", , status = ""] = readLines(fileOf(cluster));
  if (!isServerOf(cluster, Number(pid))) return undefined;
  const address = host.trim();
  return {
    pid: Number(pid),
    host: address === "" || address === "*" ? "127.0.0.1" : address,
    port: Number(port),
    ready: status.trim() === "ready",
  };
}

/**
 * A killed server leaves its pid file, and PostgreSQL refuses to start while any process of its user has that pid, which after the restart
 * of a container is likely. Only the pid is replaced: by the memory key in the file PostgreSQL still finds sessions of the killed server.
 */
export function disownStalePid(cluster: string): void {
  const [pid = "", ...rest] = readLines(fileOf(cluster));
  if (pid === "" || !isAlive(Number(pid)) || isServerOf(cluster, Number(pid))) return;
  writeFileSync(fileOf(cluster), [NOBODYS_PID, ...rest].join("\n"));
}

const readLines = (file: string): string[] => (existsSync(file) ? readFileSync(file, "utf8").split("\n") : []);

/** Also true of a process of another user. */
export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Where the system tells a process's arguments, they decide: the pid may have gone to another program, or to a zombie. */
function isServerOf(cluster: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (!existsSync("/proc/self/cmdline")) return true;
  const [program = "", ...args] = readIfThere(`/proc/${pid}/cmdline`).split("\0");
  const folder = args[args.indexOf("-D") + 1];
  return basename(program) === "postgres" && (!args.includes("-D") || isSameFolder(folder, cluster));
}

function isSameFolder(folder: string | undefined, cluster: string): boolean {
  try {
    return folder !== undefined && realpathSync(folder) === realpathSync(cluster);
  } catch {
    return false;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

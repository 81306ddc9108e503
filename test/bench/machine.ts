import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import type { Sql } from "postgres";

/** Linux counts CPU in hundredths of a second for user space, whatever the kernel's own tick. */
const MICROS_PER_TICK = 10_000;

/** The fields of /proc/PID/stat after the name; undefined when there is no such process. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return undefined;
  }
}

export const parentOf = (pid: number): number => Number(statOf(pid)?.[1] ?? 0);

/** Microseconds of CPU that a process has used, its ended children included. */
export function cpuMicrosOf(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined ? 0 : [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) * MICROS_PER_TICK;
}

/** CPU of a process and all its children: of a postmaster, that of all sessions and helpers, also of those that have ended. */
export function cpuMicrosOfTree(root: number): number {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === root);
  return [root, ...children].reduce((sum, pid) => sum + cpuMicrosOf(pid), 0);
}

/** Resident bytes of a process, 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const SHOWN_SETTINGS = [
  "shared_buffers",
  "max_wal_size",
  "wal_compression",
  "default_toast_compression",
  "fsync",
  "synchronous_commit",
  "jit",
];

/** What the figures were measured on; `loadBefore` says whether the machine was busy with something else. */
export async function describeMachine(sql: Sql, loadBefore: number): Promise<Record<string, string>> {
  const [row] = await sql`SELECT version() AS version, current_setting('data_directory') AS folder`;
  const settings = await sql`SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY (${SHOWN_SETTINGS})`;
  return {
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()}`,
    files: fileSystemOf(String(row?.["folder"])),
    node: process.version,
    postgres: String(row?.["version"]).replace(/ on .*/, ""),
    settings: settings.map(({ name, value }) => `${name} ${value}`).join(", "),
    load: `${loadBefore.toFixed(1)} before the run (more than 0.5: figures are of a busy machine)`,
  };
}

export const loadNow = (): number => loadavg()[0] ?? 0;

/** Type of the file system that holds `path`, by the longest mount point above it. */
function fileSystemOf(path: string): string {
  try {
    const mounts = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" "))
      .filter(([, point]) => point !== undefined && `${path}/`.startsWith(point.endsWith("/") ? point : `${point}/`));
    const [device, , type] = mounts.sort((a, b) => b[1]!.length - a[1]!.length)[0] ?? [];
    return `${type} on ${device}`;
  } catch {
    return "unknown";
  }
}

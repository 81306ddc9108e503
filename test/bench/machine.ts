import { readdirSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { Sql } from "postgres";

const TICKS_PER_SECOND = 100;

/** Microseconds of CPU that a process has used, its ended children included. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return ([11, 12, 13, 14] as const).reduce((sum, i) => sum + Number(fields[i]), 0) * (1e6 / TICKS_PER_SECOND);
  } catch {
    return 0;
  }
}

const parentOf = (pid: string): number => {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")[1],
    );
  } catch {
    return 0;
  }
};

/** CPU of a process and all its children. */
export function cpuOfTree(root: number): number {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === root);
  return cpuOf(root) + children.reduce((sum, pid) => sum + cpuOf(Number(pid)), 0);
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** What the figures were measured on. */
export async function describeMachine(sql: Sql): Promise<Record<string, string>> {
  const [row] = await sql`SELECT version(), current_setting('shared_buffers') AS buffers, current_setting('fsync') AS fsync,
    current_setting('synchronous_commit') AS synchronous_commit, current_setting('max_wal_size') AS max_wal, current_setting('wal_compression') AS wal_compression`;
  return {
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    node: process.version,
    postgres: String(row?.["version"]).split(" on ")[0] ?? "",
    settings: `shared_buffers ${row?.["buffers"]}, max_wal_size ${row?.["max_wal"]}, fsync ${row?.["fsync"]}, synchronous_commit ${row?.["synchronous_commit"]}, wal_compression ${row?.["wal_compression"]}`,
  };
}

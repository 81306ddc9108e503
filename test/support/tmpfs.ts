import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const run = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args, { stdio: "ignore" }).status === 0;

/** Whether this user may mount a small disk of their own: root, outside of most containers. */
export function tmpfsWorks(): boolean {
  try {
    unmount(mountTmpfs(1));
    return true;
  } catch {
    return false;
  }
}

/** A new folder on a disk of `sizeMib`, open to every user. */
export function mountTmpfs(sizeMib: number): string {
  const folder = mkdtempSync(join(tmpdir(), "genspan-disk-"));
  chmodSync(folder, 0o755);
  if (run("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m,mode=755`, "tmpfs", folder)) return folder;
  rmdirSync(folder);
  throw new Error("a tmpfs cannot be mounted here");
}

export const resizeTmpfs = (folder: string, sizeMib: number): boolean => run("mount", "-o", `remount,size=${sizeMib}m`, folder);

export function unmount(folder: string): void {
  run("umount", "-l", folder);
  rmdirSync(folder);
}

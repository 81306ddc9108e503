import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DoctorCheck } from "../cli/actions.ts";

const GIBIBYTE = 1024 ** 3;
/** PostgreSQL stops taking writes when its disk is full, and its write-ahead log alone may grow to this. */
const MIN_FREE_BYTES = GIBIBYTE;

/** Whether the disk of the data folder (of the folder above it, before there is one) has room. */
export function checkDisk(dataFolder: string): DoctorCheck {
  const name = "disk";
  let folder = resolve(dataFolder);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const free = `${(freeBytes / GIBIBYTE).toFixed(1)} GiB free on the disk of the data folder`;
  if (freeBytes >= MIN_FREE_BYTES) return { name, ok: true, detail: free };
  return { name, ok: false, detail: `only ${free}: make room, or set GENSPAN_DATA_DIR to a folder on another disk` };
}

import { statfs } from "node:fs/promises";

export interface DiskWatchOptions {
  readonly folder: string;
  readonly intervalMillis?: number;
}

/** Follows the free space of the disk that a folder is on. */
export interface DiskWatch {
  /** Whether so little is left that the database may soon be unable to write. False where that cannot be known. */
  isNearlyFull(): boolean;
  stop(): void;
}

/** Small disks are nearly full below a tenth; large ones still hold days of telemetry then. */
const MIN_FREE_SHARE = 0.1;
const ENOUGH_FREE_BYTES = 10 * 1024 ** 3;
const INTERVAL_MS = 5_000;

/** Looks once before it resolves. */
export async function watchDisk({ folder, intervalMillis = INTERVAL_MS }: DiskWatchOptions): Promise<DiskWatch> {
  let nearlyFull = false;
  const look = async (): Promise<void> => {
    try {
      const { bavail, blocks, bsize } = await statfs(folder);
      nearlyFull = bavail < blocks * MIN_FREE_SHARE && bavail * bsize < ENOUGH_FREE_BYTES;
    } catch {
      nearlyFull = false;
    }
  };
  await look();
  const timer = setInterval(look, intervalMillis);
  timer.unref();
  return { isNearlyFull: () => nearlyFull, stop: () => clearInterval(timer) };
}

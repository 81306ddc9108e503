import { spawnSync } from "node:child_process";

/** The operating-system user that the server runs as when that is not our own: PostgreSQL refuses to run as root. */
export interface ServiceAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Users that exist on nearly every system and own little; the first one found is taken. */
const CANDIDATES = ["postgres", "nobody", "daemon"];

/** The same on every machine: variables such as PGDATA or PGOPTIONS would change what the binaries do, LC_ALL and TZ what they print. */
const ENVIRONMENT = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/local/bin:/usr/bin:/bin" };

export const runsAsRoot = (): boolean => process.getuid?.() === 0;

/** The account to drop to, `undefined` when we are an ordinary user (or on Windows) and need none, `null` when root finds no such user. */
export function findServiceAccount(): ServiceAccount | undefined | null {
  if (!runsAsRoot()) return undefined;
  for (const name of CANDIDATES) {
    const account = lookUp(name);
    if (account !== undefined && account.uid !== 0) return account;
  }
  return null;
}

/** Through `id`, which also knows users that are not in /etc/passwd. */
function lookUp(name: string): ServiceAccount | undefined {
  const [uid, gid] = ["-u", "-g"].map((flag) => spawnSync("id", [flag, name], { encoding: "utf8" }));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Options for `spawn` that run a program as `account` with a fixed environment, in a folder that every user can enter. */
export function spawnAs(account: ServiceAccount | undefined): { env: typeof ENVIRONMENT; cwd?: string; uid?: number; gid?: number } {
  if (account === undefined) return { env: ENVIRONMENT };
  return { env: ENVIRONMENT, cwd: "/", uid: account.uid, gid: account.gid };
}

/** Whether the account may go into the folder: every folder above it counts, and access lists do too, so the system is asked. */
export function canEnter(account: ServiceAccount | undefined, folder: string): boolean {
  if (account === undefined) return true;
  return spawnSync("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...spawnAs(account), stdio: "ignore" }).status === 0;
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";
import { postgres, SESSION } from "../../schema/driver.ts";
import { SetupError } from "../base/setup-error.ts";

/**
 * One collector per data folder: a session of the collector holds this lock of the database for as long as it lives. The system ends that
 * session also after kill -9, so no stale lock can be left, and a lock file with a pid, which can, is not needed.
 */
const LOCK_KEY = 4_317_431_843_194_320n;
/** The sessions of a killed collector end within this time. */
const LOCK_WITHIN_MS = 2_000;
const POLL_MS = 50;

/** While a server recovers from a crash it refuses sessions: cannot_connect_now. */
const RECOVERING = "57P03";
const RECOVERED_WITHIN_MS = 60_000;
const WRONG_PASSWORD = "28P01";

export interface CollectorLock {
  release(): Promise<void>;
}

/**
 * Takes the lock on the server that `url` leads to; undefined when another collector holds it. `onLost` is called once when its session
 * ends without `release`. Throws SetupError when the server does not know our password.
 */
export async function takeCollectorLock(url: string, onLost: () => void): Promise<CollectorLock | undefined> {
  let held = false;
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 10,
    onnotice: () => {},
    onclose() {
      if (held) onLost();
      held = false;
    },
    connection: { application_name: "genspan collector lock", ...SESSION },
  });
  try {
    held = await acquire(sql);
    if (held)
      return {
        async release() {
          held = false;
          await sql.end({ timeout: 1 });
        },
      };
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw explain(error);
  }
  await sql.end({ timeout: 1 });
  return undefined;
}

/** Whether it got the lock, at once or when its last holder, just killed, is gone. */
async function acquire(sql: Sql): Promise<boolean> {
  const startedAt = performance.now();
  for (;;) {
    const waitedMs = performance.now() - startedAt;
    try {
      const [answer] = await sql<[{ locked: boolean }]>`SELECT pg_try_advisory_lock(${LOCK_KEY.toString()}::bigint) AS locked`;
      if (answer.locked || waitedMs > LOCK_WITHIN_MS) return answer.locked;
    } catch (error) {
      if (stateOf(error) !== RECOVERING || waitedMs > RECOVERED_WITHIN_MS) throw error;
    }
    await sleep(POLL_MS);
  }
}

const stateOf = (error: unknown): string | undefined => (error instanceof postgres.PostgresError ? error.code : undefined);

const explain = (error: unknown): unknown =>
  stateOf(error) === WRONG_PASSWORD
    ? new SetupError("The embedded database has another password than the file password of its folder: restore that file.")
    : error;

import type { Sql, TransactionSql } from "postgres";
import { sqlState } from "./connect.ts";

/** A waiting ACCESS EXCLUSIVE lock stops everybody behind it, so nobody may wait for one longer than this. */
const LOCK_TIMEOUT_MS = 200;
const ATTEMPTS = 15;
const LOCK_NOT_AVAILABLE = "55P03";
/** For those who wait where nobody waits behind them: somebody may hold a table for hours, and other tables have their turn meanwhile. */
const PATIENT_TIMEOUT_MS = 2_000;
const DEADLOCK_DETECTED = "40P01";

/** How a change of tables in use went: `busy` when its locks could not be had in all attempts; nothing has changed then. */
export type LockedChange<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "busy" };

/**
 * Runs `work` in a transaction that never waits long for a lock: ingest goes on between the attempts. Other errors are thrown.
 */
export async function withBriefLocks<T>(
  sql: Sql,
  work: (tx: TransactionSql) => Promise<T>,
  attempts: number = ATTEMPTS,
): Promise<LockedChange<T>> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const value = await sql.begin("isolation level read committed", async (tx) => {
        await tx.unsafe(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout = 0`);
        return work(tx);
      });
      return { kind: "done", value: value as T };
    } catch (error) {
      if (!isLockConflict(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
  }
  return { kind: "busy" };
}

/** A transaction that no statement timeout of the connection cuts short; one that waits too long for a lock throws an error that `isLockConflict` knows. */
export function withoutHaste<T>(sql: Sql, work: (tx: TransactionSql) => Promise<T>): Promise<T> {
  return sql.begin("isolation level read committed", async (tx) => {
    await tx.unsafe(`SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = ${PATIENT_TIMEOUT_MS}`);
    return work(tx);
  }) as Promise<T>;
}

/** Whether a statement failed because of a lock that somebody else has, so that it may succeed later. */
export const isLockConflict = (error: unknown): boolean => [LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED].includes(sqlState(error) ?? "");

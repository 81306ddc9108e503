import type { Sql, TransactionSql } from "../../../schema/connect.ts";

/**
 * Holds the archive's files until the transaction ends, against every collector and command on the database: a file that is written anew without erased rows
 * must not lose those that somebody adds to it meanwhile.
 */
export async function lockArchive(tx: TransactionSql, schema: string): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtext('genspan archive'), hashtext(${schema}))`;
}

/** Runs `work` on the files while nobody else does. */
export const withArchive = <T>(sql: Sql, schema: string, work: () => Promise<T>): Promise<T> =>
  sql.begin(async (tx) => {
    await tx`SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)`;
    await lockArchive(tx, schema);
    return work();
  }) as Promise<T>;

import type { Sql, TransactionSql } from "postgres";

/**
 * How long what was deleted is kept from coming back, as an interval of PostgreSQL: senders give up on a request within minutes, queues of collectors within a
 * day or two.
 */
export const REMEMBERED = "30 days";

/** What `subjectHash` makes of the record that a row names, as SQL; `alias` is that of its table. */
export const entityHash = (sql: Sql | TransactionSql, alias: string) =>
  sql`sha256(convert_to('entity' || chr(10) || ${sql(alias)}.entity_type || ':' || ${sql(alias)}.entity_id, 'UTF8'))`;

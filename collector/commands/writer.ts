import type { Sql } from "postgres";

/** What commands write through: a pool of the owner, and the schema of the tables. Every statement names its project_id itself. */
export interface Writer {
  readonly sql: Sql;
  readonly schema: string;
}

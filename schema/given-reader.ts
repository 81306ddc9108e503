import { lockSchemaChanges, retryConcurrent, sqlState, withConnection } from "./connect.ts";
import { DEFAULT_SCHEMA } from "./migrate.ts";
import { grantReadAccess, grantToSqlLogins } from "./read-grants.ts";
import { checkReadLogin } from "./read-login-check.ts";
import { SchemaError } from "./schema-error.ts";

export interface GivenReaderOptions {
  /** The writer's URL: the owner of the tables. */
  readonly url: string;
  /** The login that an operator made for all reads. It may lead to another address, such as a standby's. */
  readonly readUrl: string;
  readonly schema?: string;
}

/**
 * Readies a login that an operator gives for reading, in place of the one that `ensureReader` makes: grants SELECT on what it may not read
 * yet (a newer version may bring new tables), and holds it to the same rules. Throws SchemaError for a login that cannot connect or that
 * would read past row-level security.
 */
export async function useGivenReader(options: GivenReaderOptions): Promise<{ url: string }> {
  const { url, readUrl } = options;
  const schema = options.schema ?? DEFAULT_SCHEMA;
  const login = await asReader(() =>
    withConnection(readUrl, async (sql) => {
      const [role] = await sql<[{ login: string }]>`SELECT current_user AS login`;
      return role.login;
    }),
  );
  await withConnection(url, (sql) =>
    retryConcurrent(() =>
      sql.begin(async (tx) => {
        await lockSchemaChanges(tx, schema);
        const [found] = await tx<[{ exists: boolean }]>`SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ${login}) AS exists`;
        if (found.exists) await grantReadAccess(tx, schema, login);
        await grantToSqlLogins(tx, schema);
      }),
    ),
  );
  await asReader(() => checkReadLogin({ url: readUrl, schema }));
  return { url: readUrl };
}

/** Says of which URL a sentence speaks. */
async function asReader<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SchemaError) || sqlState(error.cause) === undefined) throw error;
    throw new SchemaError(error.message.replaceAll("DATABASE_URL", "read_url"), { cause: error.cause });
  }
}

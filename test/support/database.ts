import { randomBytes } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { describe, inject } from "vitest";
import { migrate } from "../../schema/migrate.ts";
import { type ServerKind, startCluster, type TestCluster } from "./cluster.ts";

/** One of the two clusters that a test run shares. */
export interface TestServer {
  readonly kind: ServerKind;
  /** A superuser's URL. */
  readonly adminUrl: string;
}

/** A database of a test's own; dropped with everything in it. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Runs a suite on the embedded server, and again on the machine's PostgreSQL; where there is none, it says so as a skipped suite. */
export function describeEachServer(name: string, suite: (server: TestServer) => void): void {
  const { embedded, server } = inject("postgresUrls");
  describe(`${name} (embedded PostgreSQL)`, () => suite({ kind: "embedded", adminUrl: embedded }));
  if (server !== null) describe(`${name} (PostgreSQL of this machine)`, () => suite({ kind: "server", adminUrl: server }));
  else describe.skip(`${name} (no PostgreSQL is installed on this machine)`, () => suite({ kind: "server", adminUrl: "" }));
}

const TEMPLATE = "genspan_test_template";
/** The server copies a template only while nobody is connected to it; a session that has just ended may linger for a moment. */
const IN_USE = "55006";
const ATTEMPTS = 100;

/** A migrated database. */
export async function createTestDatabase(server: TestServer): Promise<TestDatabase> {
  return withAdmin(server, async (sql) => {
    await ensureTemplate(server, sql);
    return create(server, sql, `TEMPLATE ${TEMPLATE}`);
  });
}

/** A database without anything in it. */
export const createEmptyDatabase = (server: TestServer): Promise<TestDatabase> =>
  withAdmin(server, (sql) => create(server, sql, "TEMPLATE template0"));

/** A cluster of the test's own, which it may kill. */
export const startPrivateCluster = (kind: ServerKind, settings: Readonly<Record<string, string>> = {}): Promise<TestCluster> =>
  startCluster(kind, settings);

async function withAdmin<T>(server: TestServer, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.adminUrl, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

async function create(server: TestServer, sql: Sql, options: string): Promise<TestDatabase> {
  const name = `genspan_test_${randomBytes(6).toString("hex")}`;
  await retryWhileInUse(() => sql.unsafe(`CREATE DATABASE ${name} ${options}`));
  return {
    url: urlFor(server, name),
    [Symbol.asyncDispose]: () =>
      withAdmin(server, async (admin) => void (await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  };
}

/** Made once per cluster, by whichever test file comes first; it appears under its name when it is migrated. */
async function ensureTemplate(server: TestServer, sql: Sql): Promise<void> {
  await sql`SELECT pg_advisory_lock(4318)`;
  try {
    const [known] = await sql`SELECT FROM pg_database WHERE datname = ${TEMPLATE}`;
    if (known !== undefined) return;
    await sql.unsafe(`DROP DATABASE IF EXISTS ${TEMPLATE}_new`);
    await sql.unsafe(`CREATE DATABASE ${TEMPLATE}_new TEMPLATE template0`);
    await migrate({ url: urlFor(server, `${TEMPLATE}_new`) });
    await retryWhileInUse(() => sql.unsafe(`ALTER DATABASE ${TEMPLATE}_new RENAME TO ${TEMPLATE}`));
  } finally {
    await sql`SELECT pg_advisory_unlock(4318)`;
  }
}

async function retryWhileInUse(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || error.code !== IN_USE || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function urlFor(server: TestServer, database: string): string {
  const url = new URL(server.adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

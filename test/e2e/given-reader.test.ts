import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEmptyDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { removeFolder, startProgram } from "../support/program.ts";

describeEachServer("read_url of the exporter postgres", (server) => {
  let database: TestDatabase;
  let owner: Sql;
  const logins: string[] = [];

  /** A configuration that reads by a login made with these options. */
  const configWith = async (options: string): Promise<{ login: string; config: string }> => {
    const login = `e2e_reader_${process.pid}_${Date.now()}_${logins.length}`;
    logins.push(login);
    await owner.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD 's3cr3t' ${options}`);
    const url = Object.assign(new URL(database.url), { username: login, password: "s3cr3t" }).href;
    return { login, config: `exporters: {postgres: {read_url: "${url}"}}` };
  };

  beforeAll(async () => {
    database = await createEmptyDatabase(server);
    owner = postgres(database.url, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    for (const login of logins) await owner.unsafe(`DROP OWNED BY ${login}; DROP ROLE ${login}`);
    await owner.end();
    await database[Symbol.asyncDispose]();
  });

  it("TEN-04 the collector refuses to start on one that sees every project, and shows no password", async () => {
    const { config } = await configWith("SUPERUSER");
    const started = startProgram({ env: { DATABASE_URL: database.url }, config });
    await expect(started).rejects.toThrow(
      /is a superuser, so that it would read the rows of every project: give genspan a login for reading/,
    );
    await expect(started).rejects.not.toThrow(/s3cr3t/);
  });

  it("pages are read by that login, and no other is made", async () => {
    const { login, config } = await configWith("");
    const program = await startProgram({ env: { DATABASE_URL: database.url }, config });
    try {
      const page = await fetch(program.webUrl);
      expect(page.status).toBe(200);
      const sessions = await owner`SELECT usename FROM pg_stat_activity WHERE usename = ${login}`;
      expect(sessions.length).toBeGreaterThan(0);
      const made =
        await owner`SELECT rolname FROM pg_roles WHERE rolname ~ '^genspan_reader_' AND has_database_privilege(rolname, current_database(), 'CONNECT')
        AND EXISTS (SELECT FROM aclexplode((SELECT relacl FROM pg_class WHERE oid = 'spans'::regclass)) a WHERE a.grantee = pg_roles.oid)`;
      expect(made).toEqual([]);
    } finally {
      await program.end();
      removeFolder(program);
    }
  });
});

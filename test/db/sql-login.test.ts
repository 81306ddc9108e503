import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "../../schema/migrate.ts";
import { loadMigrations } from "../../schema/migration-files.ts";
import { readableRelations } from "../../schema/read-grants.ts";
import { ensureReader } from "../../schema/reader.ts";
import { dropSqlLogin, ensureSqlLogin } from "../../schema/sql-login.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

const MAX_SESSIONS = 20;
const PASSWORD = "strong";

describeEachServer("a SQL login", (server) => {
  let database: TestDatabase;
  let owner: Sql;
  const roles: string[] = [];
  const connections: Sql[] = [];

  const connect = (url: string): Sql => {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    connections.push(sql);
    return sql;
  };
  const urlOf = (username: string): string => Object.assign(new URL(database.url), { username, password: PASSWORD }).href;
  const newRole = (purpose: string): string => {
    const role = `${purpose}_${process.pid}_${Date.now()}_${roles.length}`;
    roles.push(role);
    return role;
  };
  const make = async (purpose: string, options: { url?: string; schema?: string; projectId?: number } = {}): Promise<string> => {
    const login = newRole(purpose);
    await ensureSqlLogin({ url: database.url, login, password: PASSWORD, ...options });
    return login;
  };
  const drop = (login: string) => dropSqlLogin({ url: database.url, login });
  const exists = async (role: string): Promise<boolean> => (await owner`SELECT FROM pg_roles WHERE rolname = ${role}`).length > 0;
  const codeOf = (work: PromiseLike<unknown>): Promise<string> =>
    Promise.resolve(work).then(
      () => "no error",
      (error: { code: string }) => error.code,
    );

  beforeAll(async () => {
    database = await createTestDatabase(server);
    owner = connect(database.url);
    await owner`INSERT INTO projects (id, name, created_at) VALUES (2, 'shop', now())`;
  });
  afterAll(async () => {
    for (const sql of connections) await sql.end();
    await database[Symbol.asyncDispose]();
    const admin = postgres(server.adminUrl, { max: 1, onnotice: () => {} });
    for (const role of roles.toReversed()) await admin`DROP ROLE IF EXISTS ${admin(role)}`;
    await admin.end();
  });

  it("begins read-only, with an end to long questions and to transactions that are left open", async () => {
    const sql = connect(urlOf(await make("careful")));
    const [settings] =
      await sql`SELECT current_setting('default_transaction_read_only') AS read_only, current_setting('statement_timeout') AS timeout,
      current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('temp_file_limit') AS files`;
    expect(settings).toEqual({ read_only: "on", timeout: "1min", idle: "1min", files: "1GB" });
    expect(await codeOf(sql`CREATE TEMP TABLE mine (id int)`)).toBe("25006");
    expect(await codeOf(sql`SET temp_file_limit = -1`)).toBe("42501");
  });

  it("leaves the server's other connections to the collectors", async () => {
    const login = await make("greedy");
    const many = Array.from({ length: MAX_SESSIONS }, () => connect(urlOf(login)));
    for (const sql of many) expect(await codeOf(sql`SELECT 1`)).toBe("no error");
    expect(await codeOf(connect(urlOf(login))`SELECT 1`)).toBe("53300");
    for (const sql of many) await sql.end();
  });

  it("keeps its project when its password is set anew without one, and takes the one that is given", async () => {
    const login = await make("moving", { projectId: 2 });
    expect(await ensureSqlLogin({ url: database.url, login, password: PASSWORD, newProjectId: 1 })).toEqual({ projectId: 2 });
    expect(await connect(urlOf(login))`SELECT id FROM projects`).toEqual([{ id: 2 }]);
    expect(await ensureSqlLogin({ url: database.url, login, password: PASSWORD, projectId: 1 })).toEqual({ projectId: 1 });
    const another = newRole("first");
    expect(await ensureSqlLogin({ url: database.url, login: another, password: PASSWORD, newProjectId: 2 })).toEqual({ projectId: 2 });
  });

  it("reads what a newer version brings from the next start of a collector on", async () => {
    const login = await make("old");
    const [newest] = readableRelations().slice(-1);
    await owner`REVOKE SELECT ON ${owner(newest!)} FROM ${owner(login)}`;
    const sql = connect(urlOf(login));
    expect(await codeOf(sql`SELECT FROM ${sql(newest!)}`)).toBe("42501");
    roles.push(new URL((await ensureReader({ url: database.url })).url).username);
    expect(await codeOf(sql`SELECT FROM ${sql(newest!)}`)).toBe("no error");
  });

  it("can be dropped whatever it left in the database, and ends its sessions", async () => {
    const login = await make("hoarder", { projectId: 2 });
    const sql = connect(urlOf(login));
    await sql`SET default_transaction_read_only = off`;
    await sql`SELECT lo_create(0) FROM generate_series(1, 1200)`;
    expect(await drop(login)).toEqual({ projectId: 2, role: "dropped" });
    expect(await exists(login)).toBe(false);
    expect(await owner`SELECT FROM pg_largeobject_metadata`).toHaveLength(0);
    expect(await codeOf(sql`SELECT 1`)).not.toBe("no error");
    expect(await drop(login)).toBeUndefined();
  });

  it("is closed where something else belongs to it, which stays", async () => {
    const login = await make("landlord", { projectId: 2 });
    await owner`CREATE TABLE kept (id int)`;
    await owner`ALTER TABLE kept OWNER TO ${owner(login)}`;
    expect(await drop(login)).toEqual({ projectId: 2, role: "closed" });
    expect(await codeOf(connect(urlOf(login))`SELECT 1`)).toMatch(/^28/);
    expect(
      await owner`SELECT has_table_privilege(${login}, 'spans', 'SELECT') AS reads, has_schema_privilege(${login}, 'public', 'CREATE') AS makes`,
    ).toEqual([{ reads: false, makes: false }]);
    expect(await owner`SELECT FROM sql_logins WHERE login = ${login}`).toHaveLength(0);
    expect(await owner`SELECT FROM kept`).toHaveLength(0);
    await owner`DROP TABLE kept`;
  });

  it("can be dropped when its role is gone already", async () => {
    const login = await make("vanished");
    await owner.unsafe(`DROP OWNED BY ${login}`);
    await owner`DROP ROLE ${owner(login)}`;
    expect(await drop(login)).toEqual({ projectId: 1, role: "dropped" });
  });

  it("is made and dropped, with what it left, by a writer that is no superuser", async () => {
    const writer = newRole("plain_writer");
    await owner.unsafe(`CREATE ROLE ${writer} LOGIN CREATEROLE PASSWORD '${PASSWORD}'; CREATE SCHEMA ${writer} AUTHORIZATION ${writer}`);
    const [{ name }] = await owner<[{ name: string }]>`SELECT current_database() AS name`;
    await owner`GRANT CONNECT ON DATABASE ${owner(name)} TO ${owner(writer)} WITH GRANT OPTION`;
    const access = { url: urlOf(writer), schema: writer };
    await migrate({ ...access, migrations: loadMigrations() });
    const login = await make("guest", access);
    const sql = connect(urlOf(login));
    await sql`SET default_transaction_read_only = off`;
    await sql`SELECT lo_create(0)`;
    expect(await sql`SELECT id FROM projects`).toEqual([{ id: 1 }]);
    expect(await dropSqlLogin({ ...access, login })).toEqual({ projectId: 1, role: "dropped" });
    expect(await exists(login)).toBe(false);
    await owner.unsafe(`DROP OWNED BY ${writer} CASCADE`);
  });
});

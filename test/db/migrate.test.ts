import { spawn } from "node:child_process";
import { once } from "node:events";
import postgres, { type Sql } from "postgres";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serverFacts } from "../../collector/query/server-facts.ts";
import { migrate } from "../../schema/migrate.ts";
import { loadMigrations, type Migration, toMigration } from "../../schema/migration-files.ts";
import { SchemaError } from "../../schema/schema-error.ts";
import { createEmptyDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { generation } from "../support/encoded-request.ts";
import { createExporterRig } from "../support/exporter-rig.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const MIGRATORS = 20;
const ROUNDS = LONG ? 20 : 4;
const OURS = loadMigrations();
const next = (sql: string): Migration[] => [
  ...OURS,
  toMigration(OURS.length + 1, `${String(OURS.length + 1).padStart(4, "0")}_next.sql`, sql),
];

describeEachServer("migrate", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await createEmptyDatabase(server);
    sql = postgres(database.url, { max: 4, onnotice: () => {} });
  });
  afterEach(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  const refusal = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SchemaError);
    return (error as SchemaError).message;
  };
  const tables = async (schema = "public"): Promise<string[]> =>
    (await sql<{ name: string }[]>`SELECT tablename AS name FROM pg_tables WHERE schemaname = ${schema}`).map((row) => row.name);

  it("applies every file once, in order, and tells of each", async () => {
    const told: object[] = [];
    const log = { info: (fields: object) => void told.push(fields) };
    expect(await migrate({ url: database.url, log })).toEqual({ applied: OURS.map((each) => each.name), version: OURS.length });
    expect(told).toEqual(OURS.map((each) => ({ migration: each.name })));
    expect(await migrate({ url: database.url, log })).toEqual({ applied: [], version: OURS.length });
  });

  it(`SCH-01 ${MIGRATORS} migrators racing on an empty database leave one right schema (${ROUNDS} rounds)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const schema = `round_${round}`;
      const results = await Promise.all(Array.from({ length: MIGRATORS }, () => migrate({ url: database.url, schema })));
      expect(results.flatMap((result) => result.applied).toSorted()).toEqual(OURS.map((each) => each.name));
      expect(new Set(results.map((result) => result.version))).toEqual(new Set([OURS.length]));
      expect(await tables(schema)).toContain("generation_runs");
    }
  }, 300_000);

  it("SCH-02 a migrator killed in the middle of a file leaves nothing of it, and the next one goes on", async () => {
    const slow = next("CREATE TABLE half_made (id int);\nSELECT pg_sleep(2);");
    const script = `
      const { migrate } = await import(process.argv[1]);
      await migrate({ url: process.argv[2], migrations: JSON.parse(process.argv[3]) });`;
    const module = new URL("../../schema/migrate.ts", import.meta.url).href;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, module, database.url, JSON.stringify(slow)]);
    await expect
      .poll(
        () => sql`SELECT FROM pg_stat_activity WHERE query LIKE '%half_made%' AND wait_event = 'PgSleep' AND datname = current_database()`,
        { timeout: 20_000 },
      )
      .toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "exit");

    const mended = next("CREATE TABLE half_made (id int);");
    // The server notices the dead client only when the file is through; it must not commit then.
    expect((await migrate({ url: database.url, migrations: mended })).applied).toEqual([mended.at(-1)?.name]);
    expect(await tables()).toContain("half_made");
    const versions = await sql<{ version: number; checksum: string }[]>`SELECT version, checksum FROM genspan_migrations ORDER BY version`;
    expect(versions.map((row) => row.version)).toEqual(mended.map((each) => each.version));
    expect(versions.at(-1)?.checksum).toBe(mended.at(-1)?.checksum);
  });

  it("a file that fails leaves nothing of itself", async () => {
    await expect(migrate({ url: database.url, migrations: next("CREATE TABLE half_made (id int);\nSELECT 1 / 0;") })).rejects.toThrow(
      /division by zero/,
    );
    expect(await tables()).not.toContain("half_made");
    expect(await migrate({ url: database.url })).toEqual({ applied: [], version: OURS.length });
  });

  it("SCH-03 an old collector goes on writing while a new one migrates", async () => {
    await migrate({ url: database.url });
    let writing = true;
    let written = 0;
    const old = createExporterRig({ url: database.url });
    const writer = (async () => {
      for (; writing; written++) expect(await old.write([generation(`s${written}`)])).toMatchObject({ kind: "committed", stored: 1 });
    })();
    await expect.poll(() => written).toBeGreaterThan(20);
    await migrate({
      url: database.url,
      migrations: next("ALTER TABLE spans ADD COLUMN later text; ALTER TABLE generation_logs ADD COLUMN later text;"),
    });
    const before = written;
    await expect.poll(() => written).toBeGreaterThan(before + 20);
    writing = false;
    await writer;
    expect([await old.count("spans"), await old.count("generation_logs")]).toEqual([written, written]);
    await old.stop();
  });

  it("asks for a lock again and again instead of holding up everybody behind one long wait", async () => {
    await migrate({ url: database.url });
    const holder = postgres(database.url, { max: 1 });
    const locked = await holder.reserve();
    await locked`BEGIN`;
    await locked`LOCK TABLE spans IN ACCESS SHARE MODE`;
    const migrating = migrate({ url: database.url, migrations: next("ALTER TABLE spans ADD COLUMN later text;") });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await locked`COMMIT`;
    locked.release();
    await expect(migrating).resolves.toMatchObject({ applied: [next("").at(-1)?.name] });
    await holder.end();
  });

  it("tries again where it and a writer waited for each other's locks", async () => {
    await migrate({ url: database.url });
    const writer = postgres(database.url, { max: 1 });
    const locked = await writer.reserve();
    await locked`BEGIN`;
    // Only the migration is to notice the deadlock: the server ends whichever session looks first.
    await locked`SET LOCAL deadlock_timeout = '60s'`;
    await locked`LOCK TABLE generation_logs IN ROW EXCLUSIVE MODE`;
    const migrating = migrate({
      url: database.url,
      migrations: next(
        "SET LOCAL deadlock_timeout = '50ms'; ALTER TABLE spans ADD COLUMN later text; ALTER TABLE generation_logs ADD COLUMN later text;",
      ),
    });
    await expect
      .poll(() => sql`SELECT FROM pg_locks WHERE NOT granted AND relation = 'generation_logs'::regclass`, { interval: 5, timeout: 20_000 })
      .toHaveLength(1);
    await locked`LOCK TABLE spans IN ROW EXCLUSIVE MODE`;
    await locked`COMMIT`;
    locked.release();
    await expect(migrating).resolves.toMatchObject({ applied: [next("").at(-1)?.name] });
    await writer.end();
  });

  it("SCH-04 refuses a database that a newer version made", async () => {
    await migrate({ url: database.url, migrations: next("CREATE TABLE later (id int);") });
    expect(await refusal(migrate({ url: database.url }))).toMatch(
      /schema version \d+ \(\d{4}_next.sql\) and this genspan knows \d+: start the newer/,
    );
  });

  it("refuses a file that changed after it was applied, naming it", async () => {
    await migrate({ url: database.url });
    const changed = OURS.map((each) => (each.version === 2 ? toMigration(2, each.name, `${each.sql}-- changed\n`) : each));
    expect(await refusal(migrate({ url: database.url, migrations: changed }))).toContain(OURS[1]?.name);
  });

  const everything = async (): Promise<string[]> =>
    (await sql<{ name: string }[]>`SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace`).map(
      (row) => row.name,
    );

  it.each([
    ["a table of the first file", "spans", "CREATE TABLE spans (id int)"],
    ["a table of a later file", "usage_hours", "CREATE TABLE usage_hours (id int)"],
    ["a table with the name of a view", "failed_generations", "CREATE TABLE failed_generations (id int)"],
    ["a view with the name of a table", "alert_rules", "CREATE VIEW alert_rules AS SELECT 1 AS id"],
    ["a view with the name of a view", "daily_usage", "CREATE VIEW daily_usage AS SELECT 1 AS id"],
    ["a DEFAULT partition's name", "outputs_default", "CREATE TABLE outputs_default (id int)"],
    ["an index's name", "spans_entries", "CREATE SEQUENCE spans_entries"],
    ["a type's name", "word_signatures", "CREATE DOMAIN word_signatures AS text"],
    ["a function's name", "genspan_keep_audit", "CREATE FUNCTION genspan_keep_audit() RETURNS integer LANGUAGE sql RETURN 1"],
    ["the table of migrations", "genspan_migrations", "CREATE TABLE genspan_migrations (a int)"],
    ["a view in place of the table of migrations", "genspan_migrations", "CREATE VIEW genspan_migrations AS SELECT 1 AS version"],
  ])("refuses what another program made before it makes anything, naming it: %s", async (_, name, statement) => {
    await sql.unsafe(statement);
    const before = await everything();
    expect(await refusal(migrate({ url: database.url }))).toBe(
      `the database already has "public"."${name}", which genspan did not make: set GENSPAN_SCHEMA to another schema, or rename what has that name`,
    );
    expect(await everything()).toEqual(before);
  });

  it("tells doctor that nothing is migrated where the table of migrations is another program's", async () => {
    await sql`CREATE TABLE genspan_migrations (a int)`;
    expect(await serverFacts(sql, "public")).toMatchObject({ schemaVersion: 0, foreignTable: undefined });
  });

  it("refuses what stands in the way of an upgrade before its first file, and takes what earlier files made for its own", async () => {
    await migrate({ url: database.url });
    await sql`CREATE TABLE later (id int)`;
    const first = next("DROP VIEW daily_usage;\nCREATE VIEW daily_usage AS SELECT 1 AS id;");
    const upgrade = [
      ...first,
      toMigration(first.length + 1, `${String(first.length + 1).padStart(4, "0")}_later.sql`, "CREATE TABLE later (id int);"),
    ];
    expect(await refusal(migrate({ url: database.url, migrations: upgrade }))).toContain('"public"."later", which genspan did not make');
    expect(await sql`SELECT max(version) AS version FROM genspan_migrations`).toEqual([{ version: OURS.length }]);
    await sql`DROP TABLE later`;
    expect((await migrate({ url: database.url, migrations: upgrade })).applied).toHaveLength(2);
  });

  it("lives in another schema beside a foreign table of our name", async () => {
    await sql`CREATE TABLE spans (id int)`;
    await migrate({ url: database.url, schema: "telemetry" });
    expect(await tables("telemetry")).toContain("spans_default");
    expect(await tables()).toEqual(["spans"]);
    expect(await migrate({ url: database.url, schema: "telemetry" })).toMatchObject({ applied: [] });
  });

  it("takes a schema name that needs quotes", async () => {
    await migrate({ url: database.url, schema: 'My "own" schema' });
    expect(await tables('My "own" schema')).toContain("generation_logs");
  });

  it("SCH-09 refuses a role without CREATE, naming the GRANT, and leaves no half schema", async () => {
    const role = `powerless_${Date.now()}`;
    await sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'weak'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    const url = Object.assign(new URL(database.url), { username: role, password: "weak" }).href;
    expect(await refusal(migrate({ url }))).toContain(`GRANT CREATE ON SCHEMA "public" TO "${role}"`);
    expect(await refusal(migrate({ url, schema: "mine" }))).toContain(`CREATE SCHEMA "mine" AUTHORIZATION "${role}"`);
    expect(await tables()).toEqual([]);
    await sql.unsafe(`DROP ROLE ${role}`);
  });

  it("SCH-10 refuses a database that is not UTF8", async () => {
    const name = `ascii_${Date.now()}`;
    await sql.unsafe(`CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
    const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
    expect(await refusal(migrate({ url }))).toMatch(/encoding SQL_ASCII; genspan needs UTF8: create one with CREATE DATABASE/);
    await sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  it("refuses a database or a role that is set to read only, on new data and on old, and says where that is undone", async () => {
    const name = `read_only_${Date.now()}`;
    await sql.unsafe(`CREATE DATABASE ${name}`);
    const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
    const readOnly = (value: string) => sql.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`);
    const sentence = new RegExp(
      `"${name}" takes no writes .*default_transaction_read_only.*set it to off with ALTER DATABASE or ALTER ROLE`,
    );
    await readOnly("on");
    expect(await refusal(migrate({ url }))).toMatch(sentence);
    await readOnly("off");
    await migrate({ url });
    await readOnly("on");
    expect(await refusal(migrate({ url }))).toMatch(sentence);
    await sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  it("stores large values with lz4, and uncompressed where the server has no lz4, in partitions too", async () => {
    await migrate({ url: database.url });
    const stored = await sql`
      SELECT DISTINCT attcompression::text AS compression, attstorage::text AS storage FROM pg_attribute
      WHERE (attrelid::regclass::text, attname) IN (('generation_logs', 'prompt_full_text'), ('generation_logs_default', 'prompt_full_text'),
        ('spans_default', 'attributes'), ('ingest_rejected', 'raw'))`;
    const [{ hasLz4 }] = await sql<[{ hasLz4: boolean }]>`
      SELECT 'lz4' = ANY (enumvals) AS "hasLz4" FROM pg_settings WHERE name = 'default_toast_compression'`;
    expect(stored).toEqual([hasLz4 ? { compression: "l", storage: "x" } : { compression: "", storage: "e" }]);
  });

  it.each([
    ["a port where nothing listens", (url: URL) => Object.assign(url, { port: "1" }), /no PostgreSQL answers at .*:1: start it/],
    ["a wrong password", (url: URL) => Object.assign(url, { password: "wrong" }), /refuses the user .* check user and password/],
    ["a missing database", (url: URL) => Object.assign(url, { pathname: "/nowhere" }), /database "nowhere" does not exist .* create it/],
    [
      "TLS where the server has none",
      (url: URL) => Object.assign(url, { search: "?sslmode=require" }),
      /breaks off the connection: .*sslmode/,
    ],
    [
      "an sslmode that there is not",
      (url: URL) => Object.assign(url, { search: "?sslmode=banana" }),
      /the sslmode in DATABASE_URL is none that there is: write disable, require or verify-full$/,
    ],
    ["a setting that there is not", (url: URL) => Object.assign(url, { search: "?nonsense=1" }), /refuses the connection \(42704\): check/],
  ])("says what to do about %s, without the password", async (_, change, sentence) => {
    const message = await refusal(migrate({ url: change(new URL(database.url)).href }));
    expect(message).toMatch(sentence);
    expect(message).not.toContain(new URL(database.url).password);
  });

  it.each(["localhost", "mysql://localhost/app", "http://localhost:5432"])(
    "says what a database URL looks like, which %s is not",
    async (url) => {
      expect(await refusal(migrate({ url }))).toContain("postgres://user:password@host:5432/database");
    },
  );
});

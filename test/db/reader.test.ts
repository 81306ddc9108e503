import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { maintainPartitions } from "../../collector/jobs/partitions.ts";
import { checkReadLogin } from "../../schema/read-login-check.ts";
import { ensureReader } from "../../schema/reader.ts";
import { SchemaError } from "../../schema/schema-error.ts";
import { dropSqlLogin, ensureSqlLogin } from "../../schema/sql-login.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

const A = 1;
const B = 2;
const START = "2026-11-20 10:00:00+00";

/** Tables that a reader may not touch at all. */
const CLOSED = ["api_keys", "job_leases", "alert_channels", "archive_folders", "released_origins", "genspan_migrations"];

/** The counts of a sum of usage that must be there. */
const NO_CALLS = Object.fromEntries(
  ["generations", "succeeded", "failed", "timed_out", "pending", "approved", "rejected", "pending_review", "unpriced", "tokens_known"]
    .concat("duration_known")
    .map((name) => [name, 0]),
);

/** One row of every table for a project. */
async function fillProject(sql: Sql, project: number): Promise<void> {
  const hex = String(project).repeat(32);
  const key = { project_id: project, trace_id: hex, span_id: hex.slice(0, 16), start_time: START };
  const id = "00000000-0000-0000-0000-000000000001";
  const times = { created_at: START, updated_at: START };
  const rows: Record<string, Record<string, unknown>> = {
    resources: { project_id: project, id, attributes: {} },
    scopes: { project_id: project, id, attributes: {} },
    spans: {
      ...key,
      start_nano: 0,
      name: "n",
      kind: 1,
      service_name: "s",
      status_code: 0,
      attributes: {},
      resource_id: id,
      received_at: START,
    },
    generation_logs: {
      ...key,
      dialect: "semconv",
      generation_status: "failed",
      entity_type: "definitie",
      entity_id: "1",
      prompt_full_text: `secret of ${project}`,
      logged_at: START,
      updated_at: START,
      received_at: START,
    },
    generation_twins: { ...key, dialect: "semconv", generation_status: "success", logged_at: START, updated_at: START, received_at: START },
    log_records: {
      project_id: project,
      time: START,
      id,
      time_nano: 0,
      service_name: "s",
      attributes: {},
      resource_id: id,
      received_at: START,
    },
    ingest_rejected: { project_id: project, id, signal: "traces", reason: "r", raw: Buffer.from("x"), received_at: START },
    generation_attempts: { ...key, attempt_number: 1, received_at: START },
    generation_scores: {
      project_id: project,
      trace_id: hex,
      span_id: "b",
      time: START,
      id,
      name: "n",
      source: "review",
      received_at: START,
    },
    blobs: { project_id: project, hash: Buffer.alloc(32), size_bytes: 1, content: Buffer.from("x"), received_at: START },
    outputs: { ...key, output_number: 0, direction: "output", received_at: START },
    image_traces: { project_id: project, id, status: "started", created_at: START, received_at: START },
    generation_items: { project_id: project, id, item_id: "i", ...times },
    generation_runs: { project_id: project, id, run_id: "r", started_at: START, status: "running", ...times },
    model_prices: { project_id: project, provider_name: "p", model_name: "m", valid_from: START, currency: "EUR", updated_at: START },
    alert_rules: { project_id: project, id, name: "n", enabled: true, condition: {}, interval_seconds: 60, ...times },
    alert_events: { project_id: project, id, rule_id: id, started_at: START },
    audit_log: { project_id: project, id, time: START, actor: "a", action: "x" },
    usage_hours: { project_id: project, hour: START, ...NO_CALLS },
    usage_days: { project_id: project, day: START, ...NO_CALLS },
    usage_dirty_hours: { project_id: project, hour: START },
    word_dirty_hours: { project_id: project, hour: START, noted_at: START },
    word_signatures: { project_id: project, hour: START, part: 0, first_time: START, last_time: START, bits: Buffer.alloc(8) },
    erasures: { project_id: project, id, subject_kind: "user", subject_hash: Buffer.alloc(32), requested_by: "a", requested_at: START },
    tombstones: { project_id: project, trace_id: hex, span_id: "b", erasure_id: id, erased_at: START },
    deleted_images: { project_id: project, id, deleted_at: START },
    quality_progress: { project_id: project, judged_until: START },
    quality_rules: { project_id: project, name: "n", target: "output", marks: true, ...times },
    review_claims: { project_id: project, trace_id: hex, span_id: "b", claimed_by: "a", expires_at: START },
    alert_channels: { project_id: project, rule_id: id, channels: {} },
    released_origins: { project_id: project, origin_kind: "resources", id, noted_at: START },
    archive_folders: { project_id: project, folder: "/f", first_used_at: START },
    api_keys: { project_id: project, id, name: "n", prefix: "p", hash: Buffer.alloc(32, project), scopes: ["read"], created_at: START },
  };
  if (project !== A) rows["projects"] = { id: project, name: `project ${project}`, created_at: START };
  for (const [table, row] of Object.entries(rows)) await sql`INSERT INTO ${sql(table)} ${sql(row as Record<string, string>)}`;
}

describeEachServer("logins for reading", (server) => {
  let database: TestDatabase;
  let owner: Sql;
  let relations: { name: string; kind: string; partition: boolean }[];
  const logins: string[] = [];
  const connections: Sql[] = [];

  const connect = (url: string): Sql => {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    connections.push(sql);
    return sql;
  };
  const urlOf = (login: string, password = "strong"): string => Object.assign(new URL(database.url), { username: login, password }).href;
  const newLogin = (purpose: string): string => {
    const login = `${purpose}_${process.pid}_${Date.now()}_${logins.length}`;
    logins.push(login);
    return login;
  };
  const readerUrl = async (options: { url?: string; schema?: string } = {}): Promise<string> => {
    const { url } = await ensureReader({ url: database.url, ...options });
    logins.push(new URL(url).username);
    return url;
  };
  /** Project ids that a query finds, and [] where there is nothing. */
  const projectsIn = async (sql: Sql, relation: string): Promise<number[]> => {
    const column = relation === "projects" ? "id" : "project_id";
    const rows = await sql<{ project: number }[]>`SELECT DISTINCT ${sql(column)} AS project FROM ${sql(relation)} ORDER BY 1`;
    return rows.map((row) => row.project);
  };
  const codeOf = (work: PromiseLike<unknown>): Promise<string> =>
    Promise.resolve(work).then(
      () => "no error",
      (error: { code: string }) => error.code,
    );
  const readable = (): string[] =>
    relations.filter((each) => !each.partition && !CLOSED.includes(each.name) && each.name !== "sql_logins").map((each) => each.name);

  beforeAll(async () => {
    database = await createTestDatabase(server);
    owner = connect(database.url);
    await maintainPartitions(owner, { schema: "public", now: new Date(START) });
    await fillProject(owner, A);
    await fillProject(owner, B);
    relations = await owner`
      SELECT relname AS name, relkind::text AS kind, relispartition AS partition FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')`;
  });
  afterAll(async () => {
    for (const sql of connections) await sql.end();
    await database[Symbol.asyncDispose]();
    const admin = postgres(Object.assign(new URL(database.url), { pathname: "/postgres" }).href, { max: 1, onnotice: () => {} });
    for (const login of logins) await admin`DROP ROLE IF EXISTS ${admin(login)}`;
    await admin.end();
  });

  it("TEN-03 the reader sees nothing without a project, one project inside SET LOCAL, nothing after", async () => {
    const reader = connect(await readerUrl());
    for (const relation of readable()) {
      expect([relation, await projectsIn(reader, relation)]).toEqual([relation, []]);
      const inside = await reader.begin(async (tx) => {
        await tx`SELECT set_config('genspan.project', ${String(A)}, true)`;
        return projectsIn(tx as unknown as Sql, relation);
      });
      expect([relation, inside]).toEqual([relation, [A]]);
      expect([relation, await projectsIn(reader, relation)]).toEqual([relation, []]);
    }
  });

  it("the reader is refused at partitions, keys and machinery, and cannot write", async () => {
    const reader = connect(await readerUrl());
    const partitions = relations.filter((each) => each.partition).map((each) => each.name);
    expect(partitions).toContain("generation_logs_20261120");
    for (const relation of [...partitions, ...CLOSED])
      expect([relation, await codeOf(reader`SELECT FROM ${reader(relation)}`)]).toEqual([relation, "42501"]);
    await reader`SET default_transaction_read_only = off`;
    for (const relation of ["spans", "generation_logs", "sql_logins", "projects"]) {
      expect(await codeOf(reader`DELETE FROM ${reader(relation)}`)).toBe("42501");
      expect(await codeOf(reader`TRUNCATE ${reader(relation)}`)).toBe("42501");
    }
    expect(await codeOf(reader`CREATE TABLE mine (id int)`)).toBe("42501");
  });

  it("TEN-03 a partition is empty even for a login that may read everything", async () => {
    const login = newLogin("read_all");
    await owner.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD 'strong' IN ROLE pg_read_all_data`);
    const sql = connect(urlOf(login));
    await sql`SELECT set_config('genspan.project', ${String(A)}, false)`;
    expect(await projectsIn(sql, "spans")).toEqual([A]);
    expect(await projectsIn(sql, "spans_20261120")).toEqual([]);
    expect(await projectsIn(sql, "spans_default")).toEqual([]);
  });

  it("a SQL login is bound to its project, whatever it sets", async () => {
    const [forA, forB] = [newLogin("grafana_a"), newLogin("grafana_b")];
    await ensureSqlLogin({ url: database.url, login: forA, password: "strong", projectId: A });
    await ensureSqlLogin({ url: database.url, login: forB, password: "strong", projectId: B });
    const sql = connect(urlOf(forA));
    const tricks = [
      `SET genspan.project = '${B}'`,
      `SET SESSION genspan.project = '${B}'`,
      "SET row_security = on",
      "SET search_path = pg_temp, public",
      "RESET ROLE",
    ];
    for (const trick of ["SELECT", ...tricks]) {
      await sql.unsafe(trick);
      for (const relation of readable()) expect([trick, relation, await projectsIn(sql, relation)]).toEqual([trick, relation, [A]]);
    }
    const reader = await readerUrl();
    for (const role of [forB, new URL(reader).username, new URL(database.url).username]) {
      expect(await codeOf(sql`SET ROLE ${sql(role)}`)).toBe("42501");
      expect(await codeOf(sql.unsafe(`SET SESSION AUTHORIZATION "${role}"`))).toBe("42501");
    }
    expect(await sql`SELECT login FROM sql_logins`).toEqual([{ login: forA }]);
    expect(await projectsIn(connect(urlOf(forB)), "failed_generations")).toEqual([B]);
  });

  it("a SQL login stays bound when it is a member of another one, or of the reader", async () => {
    const [forA, forB] = [newLogin("bound_a"), newLogin("bound_b")];
    await ensureSqlLogin({ url: database.url, login: forA, password: "strong", projectId: A });
    await ensureSqlLogin({ url: database.url, login: forB, password: "strong", projectId: B });
    const reader = new URL(await readerUrl()).username;
    await owner.unsafe(`GRANT ${forB} TO ${forA}; GRANT ${reader} TO ${forA}`);
    const sql = connect(urlOf(forA));
    for (const role of [forB, reader]) {
      await sql`SET ROLE ${sql(role)}`;
      await sql`SELECT set_config('genspan.project', ${String(B)}, false)`;
      expect(await projectsIn(sql, "generation_logs")).toEqual([A]);
    }
    await owner.unsafe(`REVOKE ${forB} FROM ${forA}; REVOKE ${reader} FROM ${forA}`);
  });

  it("a SQL login does not leak other projects through functions and errors in its conditions", async () => {
    const login = newLogin("curious");
    await ensureSqlLogin({ url: database.url, login, password: "strong", projectId: A });
    const sql = connect(urlOf(login));
    await sql`SET default_transaction_read_only = off`;
    await sql.unsafe(`CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
      BEGIN IF $1 LIKE '%of ${B}%' THEN RAISE EXCEPTION 'leaked %', $1; END IF; RETURN true; END $$`);
    await expect(sql`SELECT FROM generation_logs WHERE pg_temp.tell(prompt_full_text)`).resolves.toHaveLength(1);
    await expect(sql`SELECT FROM failed_generations WHERE pg_temp.tell(prompt_full_text)`).resolves.toHaveLength(1);
  });

  it("a SQL login can be given another project and password, and be dropped", async () => {
    const login = newLogin("moving");
    await ensureSqlLogin({ url: database.url, login, password: "first", projectId: A });
    await ensureSqlLogin({ url: database.url, login, password: "second", projectId: B });
    expect(await projectsIn(connect(urlOf(login, "second")), "spans")).toEqual([B]);
    await dropSqlLogin({ url: database.url, login });
    expect(await codeOf(connect(urlOf(login, "second"))`SELECT 1`)).toMatch(/^28/);
    await expect(dropSqlLogin({ url: database.url, login })).resolves.toBeUndefined();
  });

  it("a SQL login is not made for a missing project or out of a role of somebody else", async () => {
    const login = newLogin("foreign");
    await expect(ensureSqlLogin({ url: database.url, login, password: "strong", projectId: 99 })).rejects.toThrow(
      /no project 99: create it first/,
    );
    await owner.unsafe(`CREATE ROLE ${login}`);
    await expect(ensureSqlLogin({ url: database.url, login, password: "strong", projectId: A })).rejects.toThrow(
      /exists already and was not made by genspan/,
    );
  });

  it("collectors that start at the same moment agree on the reader", async () => {
    const urls = await Promise.all(Array.from({ length: 10 }, () => ensureReader({ url: database.url })));
    expect(new Set(urls.map((each) => each.url)).size).toBe(1);
    expect(urls[0]?.url).not.toContain(new URL(database.url).password);
  });

  it("the reader gets a new password when the writer has got one", async () => {
    const writer = newLogin("writer");
    await owner.unsafe(`CREATE ROLE ${writer} SUPERUSER LOGIN PASSWORD 'before'`);
    const before = await readerUrl({ url: urlOf(writer, "before") });
    await owner.unsafe(`ALTER ROLE ${writer} PASSWORD 'after'`);
    const after = await readerUrl({ url: urlOf(writer, "after") });
    expect(await codeOf(connect(before)`SELECT 1`)).toBe("28P01");
    expect(await codeOf(connect(after)`SELECT FROM spans`)).toBe("no error");
  });

  it("a writer that may not create roles is told the right and the alternative", async () => {
    const writer = newLogin("plain_writer");
    await owner.unsafe(`CREATE ROLE ${writer} LOGIN PASSWORD 'strong'; CREATE SCHEMA ${writer} AUTHORIZATION ${writer}`);
    const refused = ensureReader({ url: urlOf(writer), schema: writer });
    await expect(refused).rejects.toThrow(SchemaError);
    await expect(refused).rejects.toThrow(`ALTER ROLE "${writer}" CREATEROLE, or make a login that may only read`);
  });

  it.each([
    ["a superuser", "SUPERUSER", "", /is a superuser/],
    ["a login with BYPASSRLS", "BYPASSRLS", "", /has BYPASSRLS/],
    ["the owner of a table", "", "ALTER TABLE blobs OWNER TO", /owns the table "blobs" or is a member of its owner/],
    ["a login without SELECT", "", "", /may not read ".*": let the owner run GRANT/],
  ])("TEN-04 %s is refused as read login", async (_, attribute, statement, sentence) => {
    const login = newLogin("bad_reader");
    await owner.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD 'strong' ${attribute}`);
    if (statement !== "") await owner.unsafe(`${statement} ${login}`);
    const check = checkReadLogin({ url: urlOf(login) });
    await expect(check).rejects.toThrow(SchemaError);
    await expect(check).rejects.toThrow(sentence);
    await owner.unsafe(`ALTER TABLE blobs OWNER TO "${new URL(database.url).username}"`);
  });

  it("TEN-04 a login that reads a table past row-level security is refused as read login", async () => {
    const login = newLogin("side_door");
    await owner.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD 'strong'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${login}`);
    await expect(checkReadLogin({ url: urlOf(login) })).resolves.toBeUndefined();
    await owner`ALTER TABLE spans_20261120 DISABLE ROW LEVEL SECURITY`;
    await expect(checkReadLogin({ url: urlOf(login) })).rejects.toThrow(/reads "spans_20261120" past row-level security/);
    await owner`ALTER TABLE spans_20261120 ENABLE ROW LEVEL SECURITY`;
  });

  it("SQL login and reader read another schema without a search_path of their own", async () => {
    const { migrate } = await import("../../schema/migrate.ts");
    await migrate({ url: database.url, schema: "elsewhere" });
    const reader = connect(await readerUrl({ schema: "elsewhere" }));
    expect(await reader`SELECT current_schema() AS schema FROM (SELECT count(*) FROM spans) s`).toEqual([{ schema: "elsewhere" }]);
    expect(new URL(await readerUrl()).username).not.toBe((await reader`SELECT current_user AS login`)[0]?.["login"]);
  });
});

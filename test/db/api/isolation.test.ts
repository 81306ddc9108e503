import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";
import { createKeyStore } from "../../../collector/commands/keys.ts";
import { createProject } from "../../../collector/commands/projects.ts";
import { ensureSqlLogin } from "../../../schema/sql-login.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { spanIdOf, TRACE, tracesOf } from "../../support/otlp-json.ts";

const CANARY = "canary-of-the-other-project";
const UUID = "123e4567-e89b-12d3-a456-426614174000";
const SPAN = spanIdOf("call");
const NAMES = ["canary-model", "canary-prompt", "canary-user", "canary-run", "canary-item", "canary-service"];

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly body: Schema | undefined;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { parameters?: Operation["parameters"]; requestBody?: { content: Record<string, { schema: Schema }> } }>>
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A body that fits the schema, with `text` wherever text goes. */
function bodyOf(schema: Schema, text: string, { components }: Document): unknown {
  if (schema.$ref !== undefined)
    return bodyOf(components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, text, { components, paths: {} });
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice !== undefined) return bodyOf(choice, text, { components, paths: {} });
  switch ([schema.type].flat()[0]) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, value]) => [key, bodyOf(value, text, { components, paths: {} })]),
      );
    case "array":
      return [bodyOf(schema.items ?? {}, text, { components, paths: {} })];
    case "integer":
    case "number":
      return 1;
    case "boolean":
      return false;
    default:
      return text;
  }
}

describeEachServer("two projects", (server) => {
  let rig: ApiRig;
  let document: Document;
  let mine: string;
  let theirId: number;
  beforeAll(async () => {
    const loaded = { keys: [] as Awaited<ReturnType<ReturnType<typeof createKeyStore>["load"]>> };
    rig = await createApiRig(server, createAuthenticator({ loadKeys: async () => loaded.keys, loopbackOnly: true }));
    const keys = createKeyStore({ sql: rig.owner, schema: "public" });
    theirId = (await createProject({ sql: rig.owner, schema: "public" }, { name: "theirs", actor: "cli" })).id;
    mine = (await keys.create({ name: "mine", scopes: ["ingest", "read", "admin"], projectId: 1 })).key;
    await keys.create({ name: CANARY, scopes: ["admin"], projectId: theirId });
    loaded.keys = await keys.load();
    await fill(rig, theirId);
    document = (await rig.get<Document>("/openapi.json")).body;
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const operations = (): Operation[] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        parameters,
        body: requestBody?.content["application/json"]?.schema,
      })),
    );
  /** Every row of every table of the other project, however it may have been changed. */
  const theirs = async (): Promise<string[]> => {
    const tables = await rig.owner<{ name: string }[]>`
      SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'project_id'
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`;
    const rows = await Promise.all(
      tables.map(({ name }) => rig.owner.unsafe(`SELECT t::text AS row FROM ${name} t WHERE project_id = ${theirId} ORDER BY 1`)),
    );
    return rows.flatMap((each, i) => each.map((row) => `${tables[i]?.name}: ${row["row"]}`));
  };
  const ids = [UUID, TRACE, `${TRACE}-${SPAN}`, "canary-run", "canary-item", "canary-prompt"];

  it("are there, with rows in every table that a route reads", async () => {
    expect(operations().length).toBeGreaterThan(20);
    expect((await theirs()).filter((row) => row.includes("canary")).length).toBeGreaterThan(6);
  });

  it("nothing of the other one can be read, changed, erased or counted by any route of the OpenAPI document", {
    timeout: 300_000,
  }, async () => {
    const before = await theirs();
    const leaks: string[] = [];
    let answered = 0;
    for (const { method, path, parameters, body } of operations()) {
      const inPath = parameters.some((parameter) => parameter.in === "path") || path.includes("{");
      for (const id of inPath ? ids : [ids[0] ?? ""]) {
        const url = path.replace("{noun}", "generations").replace(/\{\w+\}/g, encodeURIComponent(id));
        for (const query of queriesOf(parameters)) {
          const text = method === "GET" || body === undefined ? undefined : JSON.stringify(bodyOf(body, id, document));
          const headers = { authorization: `Bearer ${mine}`, "content-type": "application/json" };
          const stop = new AbortController();
          const timer = setTimeout(() => stop.abort(), 1_000);
          const response = await rig.app.request(`http://localhost${url}${query}`, {
            method,
            headers,
            signal: stop.signal,
            ...(text === undefined ? {} : { body: text }),
          });
          const said = await readFor(response, 300);
          clearTimeout(timer);
          answered++;
          if (response.status >= 500 && response.status !== 503) leaks.push(`${method} ${url}${query}: ${response.status}`);
          if (said.includes(CANARY) || NAMES.some((name) => said.includes(name) && !`${url}${query}${text}`.includes(name)))
            leaks.push(`${method} ${url}${query}: ${said.slice(0, 200)}`);
        }
      }
    }
    expect(answered).toBeGreaterThan(50);
    expect(leaks).toEqual([]);
    expect(await theirs()).toEqual(before);
  });

  it("counts of the one know nothing of the other", async () => {
    const headers = { authorization: `Bearer ${mine}` };
    for (const noun of ["generations", "runs", "items", "images", "traces", "attempts", "scores"]) {
      const { body } = await rig.get<{ rows: number }>(`/api/export/${noun}/count`, headers);
      expect([noun, body.rows]).toEqual([noun, 0]);
    }
  });

  it("TEN-01 a key's project counts, whatever a span or a query says of projects", async () => {
    const headers = { authorization: `Bearer ${mine}` };
    for (const value of ["theirs", String(theirId)]) {
      const { body } = await rig.get<{ data: unknown[] }>(`/api/generations?project=${value}`, headers);
      expect(body.data).toEqual([]);
    }
    const spans = tracesOf({ id: "claim", attributes: { "project.id": theirId, "genspan.project": "theirs" } });
    await rig.app.request("http://localhost/api/import", { method: "POST", headers, body: JSON.stringify(spans) });
    const rows = await rig.owner`SELECT project_id, attributes ->> 'genspan.project' AS said FROM spans WHERE name = 'claim'`;
    expect([...rows]).toEqual([{ project_id: 1, said: "theirs" }]);
  });

  it("a login for SQL sees its own one, whatever it sets", async () => {
    await ensureSqlLogin({
      url: rig.database.url,
      login: `genspan_test_${theirId}_${process.pid}_${server.kind}`,
      password: "p-4711",
      projectId: 1,
    });
    const url = new URL(rig.database.url);
    url.username = `genspan_test_${theirId}_${process.pid}_${server.kind}`;
    url.password = "p-4711";
    const sql = postgres(url.href, { max: 1, onnotice: () => {} });
    try {
      await sql`SELECT set_config('genspan.project', ${String(theirId)}, false)`;
      for (const table of ["generation_logs", "spans", "generation_runs", "image_traces", "audit_log"])
        expect([table, (await sql`SELECT FROM ${sql(table)} WHERE project_id = ${theirId}`).length]).toEqual([table, 0]);
    } finally {
      await sql.end();
    }
  });
});

const queriesOf = (parameters: Operation["parameters"]): string[] => {
  const names = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  return [
    "",
    ...names
      .filter((name) => ["project", "user", "deleteAll", "id", "q", "trace", "by"].includes(name))
      .map((name) => `?${name}=${valueFor(name)}`),
  ];
};

const valueFor = (name: string): string =>
  ({ project: "theirs", user: "canary-user", deleteAll: "true", id: UUID, q: "canary", trace: TRACE })[name] ?? "model";

/** The body as far as it comes in that time: a stream of live events has no end. */
async function readFor(response: Response, millis: number): Promise<string> {
  if (!/event-stream/.test(response.headers.get("content-type") ?? "")) return response.text();
  const reader = response.body?.getReader();
  let text = "";
  const end = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), millis));
  for (;;) {
    const step = await Promise.race([reader?.read(), end]);
    if (step === undefined || step.done) break;
    text += Buffer.from(step.value).toString("utf8");
  }
  await reader?.cancel();
  return text;
}

/** Rows of the other project in every table that holds some. */
async function fill({ owner }: ApiRig, projectId: number): Promise<void> {
  const times = owner`now(), now()`;
  await owner`INSERT INTO resources (project_id, id, attributes) VALUES (${projectId}, ${UUID}, ${owner.json({ "service.name": CANARY })})`;
  await owner`INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, name, kind, service_name, status_code, attributes, resource_id, received_at)
    VALUES (${projectId}, ${TRACE}, ${SPAN}, now(), 0, ${CANARY}, 1, 'canary-service', 0, ${owner.json({ "user.id": "canary-user" })}, ${UUID}, now())`;
  await owner`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, model_name, prompt_template_name, prompt_full_text, user_id,
      run_id, item_id, quality_status, logged_at, updated_at, received_at)
    VALUES (${projectId}, ${TRACE}, ${SPAN}, now(), 'x', 'success', 'canary-model', 'canary-prompt', ${CANARY}, 'canary-user', 'canary-run', 'canary-item', 'pending_review', now(), ${times})`;
  await owner`INSERT INTO generation_attempts (project_id, trace_id, span_id, start_time, attempt_number, error_message, received_at)
    VALUES (${projectId}, ${TRACE}, ${SPAN}, now(), 1, ${CANARY}, now())`;
  await owner`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, environment, created_at, updated_at)
    VALUES (${projectId}, ${UUID}, 'canary-run', now(), 'running', ${CANARY}, ${times})`;
  await owner`INSERT INTO generation_items (project_id, id, item_id, title, quality_status, created_at, updated_at)
    VALUES (${projectId}, ${UUID}, 'canary-item', ${CANARY}, 'pending_review', ${times})`;
  await owner`INSERT INTO image_traces (project_id, id, status, error_message, created_at, received_at) VALUES (${projectId}, ${UUID}, 'failed', ${CANARY}, ${times})`;
  await owner`INSERT INTO alert_rules (project_id, id, name, enabled, condition, interval_seconds, created_at, updated_at)
    VALUES (${projectId}, ${UUID}, ${CANARY}, true, '{}', 60, ${times})`;
}

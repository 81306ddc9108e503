import type { Command } from "commander";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";
import type { Actions } from "../../../collector/cli/actions.ts";
import { createProgram } from "../../../collector/cli/program.ts";
import { createKeyStore, type KeyStore } from "../../../collector/commands/keys.ts";
import { createProject } from "../../../collector/commands/projects.ts";
import { listen } from "../../../collector/receivers/http-server.ts";
import { dropSqlLogin, ensureSqlLogin } from "../../../schema/sql-login.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { runOn } from "../../support/cli-rig.ts";
import { describeEachServer, type TestServer } from "../../support/database.ts";
import { CANARY, CANARY_NUMBER, fillProject, rowsOfProject } from "../../support/full-project.ts";
import { type Operation, readOpenApi } from "../../support/openapi.ts";
import { tracesOf } from "../../support/otlp-json.ts";
import { GOOD_CALLS, type RouteCall, SAMPLE } from "../../support/route-calls.ts";

/** Where the routes look for the rows of their good calls. */
const ROWS = {
  uuid: "00000000-0000-4000-8000-00000000000f",
  byTable: {
    generation_runs: SAMPLE.run,
    generation_items: SAMPLE.item,
    image_traces: SAMPLE.image,
    alert_rules: SAMPLE.alert,
    alert_channels: SAMPLE.alert,
    api_keys: SAMPLE.key,
  },
  sha256: Buffer.from(SAMPLE.media, "hex"),
};
const THEIR_NAME = "theirs";
/** Every kind of id of the other project's rows, and the words that stand in them. */
const THEIR_IDS = [...new Set<string>([...Object.values(SAMPLE), ROWS.uuid, CANARY, "2", "1"])];

/** Keys of the query string that take other words than the canary. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  project: [THEIR_NAME, "2"],
  id: [SAMPLE.run, SAMPLE.image],
  run: [SAMPLE.run, CANARY],
  trace: [SAMPLE.trace],
  generation: [SAMPLE.generation],
  entity: [`${CANARY}:${CANARY}`],
  from: ["-30d"],
  to: ["now"],
};

interface World {
  readonly rig: ApiRig;
  readonly theirId: number;
  /** Headers with the key of project 1. */
  readonly mine: Readonly<Record<string, string>>;
}

/** A world with two projects; the second one has a row in every table, or none. */
async function createWorld(server: TestServer, filled: boolean): Promise<World> {
  let keys: KeyStore | undefined;
  let seconds = 0;
  const authenticate = createAuthenticator({
    loadKeys: async () => (await keys?.load()) ?? [],
    loopbackOnly: true,
    // Every request reads the keys anew.
    monotonicNow: () => {
      seconds += 3;
      return 1_000 * seconds;
    },
  });
  const rig = await createApiRig(server, authenticate);
  const writer = { sql: rig.owner, schema: "public" };
  keys = createKeyStore(writer);
  const theirId = (await createProject(writer, { name: THEIR_NAME, actor: "cli" })).id;
  const { key } = await keys.create({ name: "mine", scopes: ["ingest", "read", "admin"], projectId: 1 });
  if (filled) await fillProject(rig.owner, theirId, ROWS);
  return { rig, theirId, mine: { authorization: `Bearer ${key}` } };
}

interface Said {
  readonly call: string;
  readonly status: number;
  readonly text: string;
}

/** Every route, called well, and with the other project's ids and words in each place that takes one. */
async function walk({ rig, mine }: World, operations: readonly Operation[]): Promise<Said[]> {
  const said: Said[] = [];
  const order = Object.keys(GOOD_CALLS);
  const sorted = operations.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  for (const operation of sorted) {
    for (const { params = {}, query = "", body } of variationsOf(operation)) {
      const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
      const sent = body === undefined || operation.method === "GET" ? undefined : JSON.stringify(body);
      const response = await rig.app.request(`http://localhost${path}${query === "" ? "" : `?${query}`}`, {
        method: operation.method,
        headers: { ...mine, ...(sent === undefined ? {} : { "content-type": "application/json" }) },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const call = `${operation.method} ${path}?${query} ${sent ?? ""}`;
      said.push({ call, status: response.status, text: withoutChance(await textOf(response)) });
    }
  }
  return said;
}

function variationsOf({ name, pathParameters, queryParameters }: Operation): RouteCall[] {
  const good = GOOD_CALLS[name] ?? {};
  const ids = pathParameters.length === 0 ? [] : THEIR_IDS.map((id) => ({ ...good, params: renamed(good, pathParameters, id) }));
  const words = ["/api/stream"].includes(name.split(" ")[1] ?? "") ? ["user"] : queryParameters;
  const queries = words.flatMap((word) =>
    (WORDS[word] ?? [CANARY]).map((value) => ({ ...good, query: `${word}=${encodeURIComponent(value)}` })),
  );
  return [
    good,
    { ...good, query: "" },
    ...ids,
    ...queries,
    ...(queryParameters.includes("deleteAll") ? [{ query: "deleteAll=true" }] : []),
  ];
}

/** Choices among fixed words stay as they are. */
const renamed = ({ params = {} }: RouteCall, names: readonly string[], id: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, ["which", "noun"].includes(name) ? (params[name] ?? id) : id]));

/** An answer without what differs from one time to the next: random ids, keys, and the clock. */
const withoutChance = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, (id) => (THEIR_IDS.includes(id) ? id : "<id>"))
    .replace(/gs_[\w-]+/g, "<key>")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>");

const STREAM_READ_MILLIS = 300;

/** The body; of a stream of live events, which has no end, what comes at first. */
async function textOf(response: Response): Promise<string> {
  if (!/event-stream/.test(response.headers.get("content-type") ?? "")) return response.text();
  const reader = response.body?.getReader();
  let text = "";
  const end = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), STREAM_READ_MILLIS));
  for (;;) {
    const step = await Promise.race([reader?.read(), end]);
    if (step === undefined || step.done) break;
    text += Buffer.from(step.value).toString("utf8");
  }
  await reader?.cancel();
  return text.replace(/^id: .*$/gm, "id: <position>");
}

/** Leaves of the command tree that ask the API. */
function commandsOf(command: Command, words: readonly string[] = []): { words: string[]; args: number; command: Command }[] {
  const own = command.options.some((option) => option.long === "--url");
  const below = command.commands.flatMap((each) => commandsOf(each, [...words, each.name()]));
  return own ? [{ words: [...words], args: command.registeredArguments.length, command }, ...below] : below;
}

describeEachServer("two projects", (server) => {
  let full: World;
  let empty: World;
  let operations: readonly Operation[];
  beforeAll(async () => {
    [full, empty] = await Promise.all([createWorld(server, true), createWorld(server, false)]);
    ({ operations } = await readOpenApi(full.rig.app));
  });
  afterAll(() => Promise.all([full, empty].map((world) => world?.rig[Symbol.asyncDispose]())));

  const theirs = (): Promise<string[]> => rowsOfProject(full.rig.owner, full.theirId);
  /** Holds the rows of the other project after `work` to what they were before. */
  const leavingAlone = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = await theirs();
    const done = await work();
    expect(await theirs()).toEqual(before);
    return done;
  };
  /** Where an answer tells of the other project what was not in the question. */
  const leaks = (asked: string, answer: string): string[] =>
    [CANARY, String(CANARY_NUMBER)].filter((mark) => answer.includes(mark) && !asked.includes(mark));

  it("are there, one of them with a row in every table", async () => {
    const rows = await theirs();
    expect(operations.map(({ name }) => name).toSorted()).toEqual(Object.keys(GOOD_CALLS).toSorted());
    expect(rows.length).toBeGreaterThan(25);
    expect(rows.filter((row) => row.includes(CANARY)).length).toBeGreaterThan(15);
  });

  it("the one is answered by every route of the OpenAPI document as if the other did not exist, and changes nothing of it", {
    timeout: 300_000,
  }, async () => {
    const said = await leavingAlone(() => walk(full, operations));
    expect(said.length).toBeGreaterThan(10 * operations.length);
    expect(said.filter(({ status }) => status >= 500)).toEqual([]);
    expect(said.flatMap(({ call, text }) => leaks(call, text).map((mark) => ({ call, mark, text: text.slice(0, 300) })))).toEqual([]);
    const alone = await walk(empty, operations);
    expect(said.filter(({ status, text }, i) => status !== alone[i]?.status || text !== alone[i]?.text)).toEqual([]);
  });

  it("the key of the other finds in the same calls what the one does not", async () => {
    const { rig, theirId } = full;
    const { app } = rig;
    const headers = await keyOf(rig, theirId);
    let found = 0;
    for (const operation of operations.filter(({ method, path }) => method === "GET" && path !== "/api/stream")) {
      const { params = {}, query = "" } = GOOD_CALLS[operation.name] ?? {};
      const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
      const response = await app.request(`http://localhost${path}?${path.includes("{") ? query : ""}`, { headers });
      if (leaks("", await response.text()).length > 0) found++;
    }
    expect(found).toBeGreaterThan(12);
  });

  it("no command tells the one of the other, or changes it", { timeout: 120_000 }, async () => {
    const { rig, mine } = full;
    const web = await listen({ fetch: rig.app.fetch, host: "127.0.0.1", port: 0, purpose: "test" });
    const key = mine["authorization"]?.replace("Bearer ", "") ?? "";
    const program = createProgram({ actions: {} as Actions, terminal: {} as never, env: {}, version: "0" });
    const commands = commandsOf(program).filter(({ words }) => words[0] !== "tail");
    expect(commands.length).toBeGreaterThan(40);
    const told: object[] = [];
    const before = await theirs();
    try {
      for (const { words, args, command } of commands) {
        const yes = command.options.flatMap(({ long }) =>
          ["--yes", "--all", "--show-reasoning", "--show-prompt"].includes(long ?? "") ? [long!] : [],
        );
        for (const id of [SAMPLE.generation, SAMPLE.run, SAMPLE.item, SAMPLE.image, SAMPLE.alert, CANARY]) {
          const line = [...words, ...Array.from({ length: args }, () => id), ...yes];
          const { out, notes } = await runOn(rig, [...line, "--url", web.url, "--key", key]);
          told.push(...leaks(line.join(" "), out + notes).map((mark) => ({ line, mark })));
          if (args === 0) break;
        }
      }
    } finally {
      await web.close(0);
    }
    expect(told).toEqual([]);
    expect(await theirs()).toEqual(before);
  });

  it("a stream of live events tells of its own one alone", async () => {
    const { rig, theirId, mine } = full;
    const response = await rig.app.request("http://localhost/api/stream", { headers: mine });
    const reader = response.body!.getReader();
    const call = (id: string) =>
      Buffer.from(JSON.stringify(tracesOf({ id, attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": id } })));
    let text = "";
    const readUntil = async (mark: string): Promise<void> => {
      while (!text.includes(mark)) text += Buffer.from((await reader.read()).value ?? []).toString("utf8");
    };
    await readUntil("event: ready");
    await rig.services.ingest(theirId, "traces", call("theirs"));
    await rig.services.ingest(1, "traces", call("mine"));
    await readUntil('"mine"');
    await reader.cancel();
    expect(text).not.toContain("theirs");
  });

  it("TEN-01 a key's project counts, whatever a span or a query says of projects", async () => {
    const { rig, theirId, mine } = full;
    for (const value of [THEIR_NAME, String(theirId)])
      expect((await rig.get<{ data: unknown[] }>(`/api/generations?project=${value}`, mine)).body.data).toEqual([]);
    const spans = tracesOf({ id: "claim", attributes: { "project.id": theirId, "genspan.project": THEIR_NAME } });
    const sent = await leavingAlone(() => rig.send("/api/import", spans, { headers: mine }));
    expect(sent.status).toBe(200);
    const rows = await rig.owner`SELECT project_id, attributes ->> 'genspan.project' AS said FROM spans WHERE name = 'claim'`;
    expect([...rows]).toEqual([{ project_id: 1, said: THEIR_NAME }]);
  });

  it("a login for SQL sees its own one, whatever it sets, in tables, views and partitions, and writes nothing", async () => {
    const { rig, theirId } = full;
    const login = `genspan_apart_${process.pid}_${server.kind}`;
    await ensureSqlLogin({ url: rig.database.url, login, password: "p-4711", projectId: 1 });
    const url = new URL(rig.database.url);
    url.username = login;
    url.password = "p-4711";
    const sql = postgres(url.href, { max: 1, onnotice: () => {} });
    const before = await theirs();
    try {
      const relations = await rig.owner<{ name: string }[]>`
        SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1`;
      expect(relations.length).toBeGreaterThan(35);
      await expect(sql`DELETE FROM spans`).rejects.toThrow("read-only transaction");
      await sql`SET default_transaction_read_only = off`;
      let readable = 0;
      for (const setting of [String(theirId), "1"]) {
        await sql`SELECT set_config('genspan.project', ${setting}, false)`;
        for (const { name } of relations) {
          const rows = await sql`SELECT t::text AS row FROM ${sql(name)} t`.catch((error: Error & { code: string }) => {
            expect([name, error.code]).toEqual([name, "42501"]);
            return [];
          });
          readable += rows.length;
          expect([name, rows.filter(({ row }) => leaks("", String(row)).length > 0)]).toEqual([name, []]);
          await expect(sql`DELETE FROM ${sql(name)}`).rejects.toThrow(/permission denied|cannot delete/);
        }
      }
      expect(readable).toBeGreaterThan(0);
      await expect(sql`SET ROLE genspan_owner`).rejects.toThrow();
    } finally {
      await sql.end();
      await dropSqlLogin({ url: rig.database.url, login });
    }
    expect(await theirs()).toEqual(before);
  });
});

/** Headers with a new key of that project. */
async function keyOf(rig: ApiRig, projectId: number): Promise<Record<string, string>> {
  const keys = createKeyStore({ sql: rig.owner, schema: "public" });
  return { authorization: `Bearer ${(await keys.create({ name: "theirs", scopes: ["read", "admin"], projectId })).key}` };
}

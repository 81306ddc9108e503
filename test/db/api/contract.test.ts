import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createApiOnly } from "../../../collector/api/api.ts";
import type { Services } from "../../../collector/api/services.ts";
import type { Scope } from "../../../collector/base/api-key.ts";
import type { Credentials } from "../../../collector/base/credentials.ts";
import { rejected, retryable } from "../../../collector/base/outcome.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { idsOf, storeGenerations } from "../../support/generation-rows.ts";
import { type Operation, readOpenApi } from "../../support/openapi.ts";
import { ALERT_CONDITION, GOOD_CALLS, type RouteCall, SAMPLE } from "../../support/route-calls.ts";

/** Who may do what is in the key itself: `read+admin`. */
async function authenticate({ key }: Credentials, scope: Scope) {
  if (key === "away") return retryable("database", "the keys cannot be read at the moment");
  if (key === "hasty") return retryable("overload", "this key may send 1 request a second");
  if (key === undefined) return rejected("unauthenticated", "a key is required");
  if (!key.split("+").includes(scope)) return rejected("forbidden", `this key lacks the scope ${scope}`);
  return { kind: "granted", projectId: 1 } as const;
}
const EVERYTHING = { authorization: "Bearer ingest+read+admin" };

const { operations: OPERATIONS, document } = await readOpenApi(createApiOnly({ version: "1.2.3" } as Services));
const NAMES = OPERATIONS.map(({ name }) => name);
const operation = (name: string): Operation => OPERATIONS.find((each) => each.name === name)!;

const filled = (path: string, params: Readonly<Record<string, string>> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? "missing"));

describe("the OpenAPI document", () => {
  it("is of version 3.1, and every route has a good call in this test", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(GOOD_CALLS).toSorted()).toEqual(NAMES.toSorted());
  });

  it("names every operation once, and no route is hidden behind another", () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
    // A path with a fixed word must stand before the one that has a parameter in its place.
    const paths = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    for (const [i, path] of paths.entries()) {
      const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, "[^/{}]+")}$`);
      expect([path, paths.slice(i + 1).filter((later) => !later.includes("{") && pattern.test(later) && later !== path)]).toEqual([
        path,
        [],
      ]);
    }
  });
});

// What routes ask of a database is tested on both servers elsewhere.
describe("every route of the OpenAPI document", () => {
  let rig: ApiRig;

  beforeAll(async () => {
    rig = await createApiRig({ kind: "embedded", adminUrl: inject("postgresUrls").embedded }, authenticate);
    const sql = rig.owner;
    const start_time = new Date(Date.now() - 60_000);
    const call = {
      start_time,
      model_name: "gpt-5",
      provider_name: "openai",
      prompt_template_name: "quiz",
      prompt_full_text: "Wer?",
      user_id: "u1",
      run_id: SAMPLE.run,
      tokens_prompt: 5,
    };
    await storeGenerations(sql, [
      { ...call, prompt_template_version: "1", quality_status: "pending_review", item_id: SAMPLE.item },
      { ...call, prompt_template_version: "2" },
    ]);
    const resource_id = "00000000-0000-4000-8000-00000000000f";
    await sql`INSERT INTO resources (project_id, id, attributes) VALUES (1, ${resource_id}, '{"service.name": "web"}')`;
    const span = {
      project_id: 1,
      ...idsOf(1),
      start_time,
      start_nano: 0,
      end_time: start_time,
      end_nano: 0,
      duration_ns: 0,
      name: "chat",
      kind: 3,
      service_name: "web",
    };
    await sql`INSERT INTO spans ${sql({ ...span, status_code: 0, attributes: sql.json({ "gen_ai.request.model": "gpt-5" }), resource_id, received_at: start_time })}`;
    const now = { created_at: start_time, updated_at: start_time };
    await sql`INSERT INTO generation_runs ${sql({ project_id: 1, id: SAMPLE.run, run_id: SAMPLE.run, status: "running", started_at: start_time, ...now })}`;
    await sql`INSERT INTO generation_items ${sql({ project_id: 1, id: SAMPLE.item, item_id: SAMPLE.item, title: "Problem", ...now })}`;
    await sql`INSERT INTO image_traces ${sql({ project_id: 1, id: SAMPLE.image, status: "completed", created_at: start_time, received_at: start_time })}`;
    await sql`INSERT INTO blobs ${sql({ project_id: 1, hash: Buffer.alloc(32, 7), media_type: "image/png", size_bytes: 3, content: Buffer.from("png"), received_at: start_time })}`;
    const rule = {
      id: SAMPLE.alert,
      name: "rule",
      enabled: true,
      condition: sql.json({ ...ALERT_CONDITION, filter: "", consecutive: 1, no_data: "ok" }),
      notify: sql.json([]),
    };
    await sql`INSERT INTO alert_rules ${sql({ project_id: 1, ...rule, interval_seconds: 60, ...now })}`;
    await sql`INSERT INTO api_keys ${sql({ project_id: 1, id: SAMPLE.key, name: "k", prefix: "gs_x", hash: Buffer.alloc(32, 7), scopes: ["read"], created_at: start_time })}`;
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  beforeEach(() => {
    rig.logged.length = 0;
  });

  const ask = async (name: string, { params, query = "", body }: RouteCall, init: RequestInit = {}) => {
    const { method, path, hasBody } = operation(name);
    const json =
      body === undefined || !(hasBody || method === "POST")
        ? {}
        : { body: JSON.stringify(body), headers: { ...EVERYTHING, "content-type": "application/json" } };
    const url = `http://localhost${filled(path, params)}${query === "" ? "" : `?${query}`}`;
    const response = await rig.app.request(url, { method, headers: EVERYTHING, ...json, ...init });
    // An address with `..` in it is that of another route.
    if (response.status !== 405) answered.set(name, (answered.get(name) ?? new Set()).add(response.status));
    return response;
  };
  /** Statuses by route, of all tests below. */
  const answered = new Map<string, Set<number>>();
  const codeOf = async (response: Response): Promise<unknown> =>
    ((await response.json()) as { error?: { code?: unknown; message?: unknown } }).error?.code;
  const good = (name: string): RouteCall => GOOD_CALLS[name] ?? {};

  it.each(NAMES)("%s needs a key with its scope", async (name) => {
    const { scopes } = operation(name);
    const none = await ask(name, good(name), { headers: { "content-type": "application/json" } });
    expect([none.status, none.headers.get("www-authenticate"), await codeOf(none)]).toEqual([
      401,
      expect.stringContaining("Bearer"),
      "unauthenticated",
    ]);
    const others = ["ingest", "read", "admin"].filter((scope) => !scopes.includes(scope));
    for (const scope of others) {
      const denied = await ask(name, good(name), { headers: { authorization: `Bearer ${scope}`, "content-type": "application/json" } });
      expect([scope, denied.status, await codeOf(denied)]).toEqual([scope, 403, "forbidden"]);
    }
  });

  it.each(NAMES)("%s answers keys that it does not know with 400, and none with an error of its own", async (name) => {
    const { query = "" } = good(name);
    const response = await ask(name, { ...good(name), query: `${query}&modle=1` }, name === "post /api/import" ? { body: "" } : {});
    expect([response.status, await codeOf(response)]).toEqual([400, "bad_request"]);
    expect(rig.logged).toEqual([]);
  });

  /** What is made by its name has no names that nobody has. */
  const NAMED = NAMES.filter((name) => operation(name).pathParameters.length > 0 && operation(name).statuses.includes(404));

  it.each(NAMED)("%s meets names that nobody has, and names that are none, with 4xx", async (name) => {
    for (const value of [
      "nothing",
      "%00",
      "..",
      "x".repeat(3_000),
      "' OR 1=1 --",
      `${"f".repeat(32)}-${"f".repeat(16)}`,
      "ffffffff-ffff-4fff-bfff-ffffffffffff",
    ]) {
      const params = Object.fromEntries(operation(name).pathParameters.map((parameter) => [parameter, value]));
      const response = await ask(name, { ...good(name), params });
      expect([value, response.status]).toEqual([value, expect.toSatisfy((status: number) => status >= 400 && status < 500)]);
    }
    expect(rig.logged).toEqual([]);
  });

  it.each(NAMES.filter((name) => operation(name).hasBody))("%s refuses bodies that are none, and foreign pages", async (name) => {
    const send = async (body: string, headers: Record<string, string> = {}) => {
      const response = await ask(
        name,
        { params: good(name).params! },
        { body, headers: { ...EVERYTHING, "content-type": "application/json", ...headers } },
      );
      return [response.status, await codeOf(response)];
    };
    for (const body of [
      "{",
      "[]",
      "3",
      '"text"',
      "null",
      '{"a":',
      `${"[".repeat(5_000)}`,
      JSON.stringify({ unknown_field_of_nobody: 1, status: 7 }),
      "\u0000",
    ])
      expect([body.slice(0, 20), ...(await send(body))]).toEqual([
        body.slice(0, 20),
        expect.toSatisfy((status: number) => [400, 403].includes(status)),
        expect.any(String),
      ]);
    expect(await send("{}", { "content-type": "text/plain" })).toEqual([415, "unsupported_type"]);
    expect(await send("{}", { "content-length": String(10 ** 9) })).toEqual([413, "too_large"]);
    const basic = { authorization: `Basic ${Buffer.from("me:ingest+read+admin").toString("base64")}` };
    expect(await send("{}", { ...basic, origin: "https://evil.example" })).toEqual([403, "forbidden"]);
    expect(await send("{}", { ...basic, "sec-fetch-site": "cross-site" })).toEqual([403, "forbidden"]);
    expect(rig.logged).toEqual([]);
  });

  it.each(Object.keys(GOOD_CALLS))("%s answers a good call as it is described", async (name) => {
    const call = good(name);
    const response = await ask(name, call);
    const { successStatus, types, faultsOf } = operation(name);
    const isStream = types.includes("text/event-stream");
    const text = isStream ? "" : await response.text();
    if (isStream) await response.body?.cancel();
    expect([response.status, text.slice(0, 300)]).toEqual([call.status ?? successStatus, expect.any(String)]);
    if (response.status >= 300) return;
    const type = (response.headers.get("content-type") ?? "").split(";")[0];
    expect(types.map((each) => each.split(";")[0])).toContain(type);
    if (type === "application/json") expect(faultsOf(JSON.parse(text))).toEqual([]);
    expect(rig.logged).toEqual([]);
  });

  it.each([...new Set(OPERATIONS.map(({ path }) => path))])("%s answers other methods with 405 and those that there are", async (path) => {
    const methods = OPERATIONS.filter((each) => each.path === path).map(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    const response = await rig.app.request(`http://localhost${filled(path)}`, { method: "PROPFIND", headers: EVERYTHING });
    expect([response.status, await codeOf(response)]).toEqual([405, "method_not_allowed"]);
    expect(response.headers.get("allow")?.split(", ").toSorted()).toEqual(methods.flat().toSorted());
  });

  it.each(NAMES)("%s says 503 while keys or data cannot be read, and when to come back", async (name) => {
    const response = await ask(name, good(name), { headers: { authorization: "Bearer away", "content-type": "application/json" } });
    expect([response.status, response.headers.get("retry-after"), await codeOf(response)]).toEqual([503, "3", "unavailable"]);
    if (!operation(name).scopes.includes("ingest")) return;
    const hasty = await ask(name, good(name), { headers: { authorization: "Bearer hasty", "content-type": "application/json" } });
    expect([hasty.status, hasty.headers.get("retry-after"), await codeOf(hasty)]).toEqual([429, "3", "overload"]);
  });

  const alert = (name: string) => ({ name, condition: ALERT_CONDITION });
  const nobody = "ffffffff-ffff-4fff-bfff-ffffffffffff";
  /** Calls that what is there does not allow. */
  const REFUSED: readonly (readonly [name: string, call: RouteCall, status: number])[] = [
    ["get /api/generations/compare", { query: `a=${SAMPLE.generation}&b=${"f".repeat(32)}-${"f".repeat(16)}` }, 404],
    ["get /api/traces/compare", { query: `a=${SAMPLE.trace}&b=${"f".repeat(32)}` }, 404],
    ["get /api/runs/compare", { query: `id=${SAMPLE.run}&id=${nobody}` }, 404],
    ["delete /api/traceImage", { query: `id=${nobody}` }, 404],
    ["post /api/runs/{id}/mark-failed", { params: { id: SAMPLE.run }, body: {} }, 409],
    ["delete /api/generations/{id}/review", { params: { id: SAMPLE.generation } }, 409],
    ["delete /api/items/{id}/review", { params: { id: SAMPLE.item } }, 409],
    ["post /api/alerts", { body: alert("too many failures") }, 409],
    ["put /api/alerts/{id}", { params: { id: nobody }, body: alert("nobody's") }, 404],
    ["delete /api/projects/{id}", { params: { id: "1" }, query: "confirm=default" }, 409],
    ["post /api/import", {}, 415],
    ["post /api/import", {}, 413],
    ["put /api/alerts/{id}", { params: { id: SAMPLE.otherRun }, body: alert("too many failures") }, 409],
    ["put /api/quality-rules/{name}", { params: { name: "one_more" }, body: { pattern: "x" } }, 409],
    ["delete /api/traceImage", { query: "deleteAll=true" }, 413],
  ];

  it("what is there may not allow a call: 404, 409, 413 and 415 as they are described", async () => {
    const sql = rig.owner;
    const now = new Date();
    const rule = {
      enabled: true,
      condition: sql.json({ ...ALERT_CONDITION, filter: "", consecutive: 1, no_data: "ok" }),
      notify: sql.json([]),
    };
    const times = { created_at: now, updated_at: now };
    await sql`INSERT INTO alert_rules ${sql({ project_id: 1, id: SAMPLE.otherRun, name: "another", ...rule, interval_seconds: 60, ...times })}`;
    await sql`INSERT INTO quality_rules (project_id, name, target, pattern, marks, created_at, updated_at)
      SELECT 1, 'rule_' || n, 'output', 'x', true, now(), now() FROM generate_series(1, 100) n`;
    await sql`INSERT INTO image_traces (project_id, id, status, created_at, received_at)
      SELECT 1, gen_random_uuid(), 'started', now(), now() FROM generate_series(1, 100001)`;
    for (const [name, call, status] of REFUSED) {
      const file =
        name === "post /api/import"
          ? status === 415
            ? { body: "x", headers: { ...EVERYTHING, "content-encoding": "br" } }
            : { body: `{"a":"${"x".repeat(65 * 1024 * 1024)}` }
          : {};
      const response = await ask(name, call, file);
      expect([name, response.status, await codeOf(response)]).toEqual([name, status, expect.any(String)]);
    }
  });

  it("every status that a route answered with is documented, and every documented one was answered", () => {
    for (const name of NAMES) {
      const { statuses, successStatus } = operation(name);
      // Where the good call is refused by intention, another test shows its success.
      const shown =
        (good(name).status ?? successStatus) === successStatus ? statuses : statuses.filter((status) => status !== successStatus);
      expect([name, [...(answered.get(name) ?? [])].toSorted((a, b) => a - b)]).toEqual([name, shown]);
    }
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createApiOnly } from "../../../collector/api/api.ts";
import type { Services } from "../../../collector/api/services.ts";
import type { Scope } from "../../../collector/base/api-key.ts";
import type { Credentials } from "../../../collector/base/credentials.ts";
import { rejected } from "../../../collector/base/outcome.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { generationId, idsOf, storeGenerations } from "../../support/generation-rows.ts";
import { type Operation, readOpenApi } from "../../support/openapi.ts";

/** Who may do what is in the key itself: `read+admin`. */
async function authenticate({ key }: Credentials, scope: Scope) {
  if (key === undefined) return rejected("unauthenticated", "a key is required");
  if (!key.split("+").includes(scope)) return rejected("forbidden", `this key lacks the scope ${scope}`);
  return { kind: "granted", projectId: 1 } as const;
}
const EVERYTHING = { authorization: "Bearer ingest+read+admin" };

const GENERATION = generationId(1);
const { trace_id: TRACE, span_id: SPAN } = idsOf(1);
const RUN = "00000000-0000-4000-8000-000000000001";
const RUN_B = "00000000-0000-4000-8000-000000000002";
const ITEM = "00000000-0000-4000-8000-000000000003";
const IMAGE = "00000000-0000-4000-8000-000000000004";
const ALERT = "00000000-0000-4000-8000-000000000006";
const CONDITION = { metric: "failure_rate", compare: "above", threshold: 0.5, window_seconds: 600 };
const MEDIA = "07".repeat(32);
const KEY = "00000000-0000-4000-8000-000000000005";

interface Good {
  /** Values of the path, by name. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  /** Where the route does not answer with its success in this test, by intention. */
  readonly status?: number;
}

/** One good call of each route; a new route needs one here. Those that take something away come last, in the order in which they stand. */
const GOOD: Readonly<Record<string, Good>> = {
  "get /api/generations": { query: "model=gpt-5&-status=failed&limit=5" },
  "get /api/generations/stats": { query: "by=model,day&from=-30d" },
  "get /api/generations/compare": { query: `a=${GENERATION}&b=${generationId(2)}` },
  "get /api/generations/{id}": { params: { id: GENERATION } },
  "get /api/generations/{id}/content/{which}": { params: { id: GENERATION, which: "prompt" } },
  "get /api/generations/{id}/span": { params: { id: GENERATION } },
  "get /api/generations/{id}/provenance": { params: { id: GENERATION } },
  "post /api/generations/{id}/review": { params: { id: GENERATION }, body: { status: "rejected", issues: ["short"] } },
  "delete /api/generations/{id}/review": { params: { id: GENERATION } },
  "put /api/generations/{id}/entity": { params: { id: GENERATION }, body: { type: "lesson", id: "1" } },
  "delete /api/generations/{id}/entity": { params: { id: GENERATION } },
  "post /api/generations/reprice": { body: { from: "-30d", dry_run: false } },
  "get /api/review": {},
  "post /api/review/next": { body: { reviewer: "ada" } },
  "get /api/usage": { query: "by=day,model" },
  "get /api/traces": { query: "service=web" },
  "get /api/traces/compare": { query: `a=${TRACE}&b=${TRACE}` },
  "get /api/traces/{traceId}": { params: { traceId: TRACE } },
  "get /api/traces/{traceId}/spans/{spanId}": { params: { traceId: TRACE, spanId: SPAN } },
  "get /api/prompts": { query: "from=-30d" },
  "get /api/prompts/{name}": { params: { name: "quiz" } },
  "get /api/prompts/{name}/compare": { params: { name: "quiz" }, query: "a=1&b=2" },
  "get /api/export/{noun}": { params: { noun: "generations" }, query: "format=jsonl" },
  "get /api/export/{noun}/count": { params: { noun: "traces" } },
  "post /api/import": { body: {}, status: 200 },
  "get /api/subject": { query: "user=u1" },
  "get /api/keys": {},
  "post /api/keys": { body: { name: "more", scopes: ["read"] }, status: 403 },
  "post /api/keys/{id}/rotate": { params: { id: KEY }, body: {}, status: 403 },
  "get /api/projects": {},
  "post /v1/admin/generation-runs": {
    body: { id: RUN_B, status: "success", started_at: "2026-11-20T08:00:00Z", questions_requested: 10, questions_inserted: 9 },
  },
  "get /v1/admin/generation-runs": { query: "limit=5" },
  "get /v1/admin/generation-runs/stats": {},
  "get /v1/admin/generation-runs/{id}": { params: { id: RUN } },
  "get /api/runs": {},
  "get /api/runs/stats": {},
  "get /api/runs/trend": { query: "metric=approval_rate" },
  "get /api/runs/streak": {},
  "get /api/runs/stuck": {},
  "get /api/runs/compare": { query: `id=${RUN}&id=${RUN_B}` },
  "get /api/runs/{id}": { params: { id: RUN } },
  "post /api/runs/{id}/mark-failed": { params: { id: RUN }, body: { reason: "gone" } },
  "get /api/items": {},
  "get /api/items/stats": {},
  "get /api/items/labels": {},
  "get /api/items/issues": {},
  "get /api/items/{id}": { params: { id: ITEM } },
  "post /api/items/{id}/review": { params: { id: ITEM }, body: { status: "approved" } },
  "delete /api/items/{id}/review": { params: { id: ITEM } },
  "get /api/quality-rules": {},
  "put /api/quality-rules/{name}": { params: { name: "no_foo" }, body: { pattern: "foo" } },
  "post /api/quality-rules/apply": { body: {} },
  "delete /api/quality-rules/{name}": { params: { name: "no_foo" } },
  "get /api/images": {},
  "get /api/images/stats": {},
  "get /api/images/{id}": { params: { id: IMAGE } },
  "get /api/media/{sha256}": { params: { sha256: MEDIA } },
  "get /api/traceImage": { query: "limit=5&offset=0" },
  "get /api/alerts": {},
  "get /api/alerts/metrics": {},
  "get /api/alerts/events": {},
  "get /api/alerts/{id}": { params: { id: ALERT } },
  "get /api/alerts/{id}/check": { params: { id: ALERT } },
  "post /api/alerts": { body: { name: "too many failures", condition: CONDITION, channels: [{ type: "log" }] } },
  "post /api/alerts/preview": { body: { condition: CONDITION, from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z", steps: 5 } },
  "put /api/alerts/{id}": { params: { id: ALERT }, body: { name: "fewer failures", condition: CONDITION } },
  "post /api/alerts/{id}/mute": { params: { id: ALERT }, body: { until: null } },
  "post /api/alerts/{id}/test": { params: { id: ALERT } },
  "delete /api/alerts/{id}": { params: { id: ALERT } },
  "get /api/stream": { query: "model=gpt-5" },
  "delete /api/traceImage": { query: `id=${IMAGE}` },
  "delete /api/projects/{id}": { params: { id: "1" }, query: "confirm=default", status: 409 },
  "delete /api/keys/{id}": { params: { id: KEY } },
  "post /api/erase": { body: { kind: "user", value: "u1", dry_run: true } },
};

const { operations: OPERATIONS, document } = await readOpenApi(createApiOnly({ version: "1.2.3" } as Services));
const NAMES = OPERATIONS.map(({ name }) => name);
const operation = (name: string): Operation => OPERATIONS.find((each) => each.name === name)!;

const filled = (path: string, params: Readonly<Record<string, string>> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? "missing"));

describe("the OpenAPI document", () => {
  it("is of version 3.1, and every route has a good call in this test", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(GOOD).toSorted()).toEqual(NAMES.toSorted());
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
      run_id: RUN,
      tokens_prompt: 5,
    };
    await storeGenerations(sql, [
      { ...call, prompt_template_version: "1", quality_status: "pending_review", item_id: ITEM },
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
    await sql`INSERT INTO generation_runs ${sql({ project_id: 1, id: RUN, run_id: RUN, status: "running", started_at: start_time, ...now })}`;
    await sql`INSERT INTO generation_items ${sql({ project_id: 1, id: ITEM, item_id: ITEM, title: "Problem", ...now })}`;
    await sql`INSERT INTO image_traces ${sql({ project_id: 1, id: IMAGE, status: "completed", created_at: start_time, received_at: start_time })}`;
    await sql`INSERT INTO blobs ${sql({ project_id: 1, hash: Buffer.alloc(32, 7), media_type: "image/png", size_bytes: 3, content: Buffer.from("png"), received_at: start_time })}`;
    const rule = {
      id: ALERT,
      name: "rule",
      enabled: true,
      condition: sql.json({ ...CONDITION, filter: "", consecutive: 1, no_data: "ok" }),
      notify: sql.json([]),
    };
    await sql`INSERT INTO alert_rules ${sql({ project_id: 1, ...rule, interval_seconds: 60, ...now })}`;
    await sql`INSERT INTO api_keys ${sql({ project_id: 1, id: KEY, name: "k", prefix: "gs_x", hash: Buffer.alloc(32, 7), scopes: ["read"], created_at: start_time })}`;
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  beforeEach(() => {
    rig.logged.length = 0;
  });

  const ask = async (name: string, { params, query = "", body }: Good, init: RequestInit = {}) => {
    const { method, path, hasBody } = operation(name);
    const json =
      body === undefined || !(hasBody || method === "POST")
        ? {}
        : { body: JSON.stringify(body), headers: { ...EVERYTHING, "content-type": "application/json" } };
    const url = `http://localhost${filled(path, params)}${query === "" ? "" : `?${query}`}`;
    return rig.app.request(url, { method, headers: EVERYTHING, ...json, ...init });
  };
  const codeOf = async (response: Response): Promise<unknown> =>
    ((await response.json()) as { error?: { code?: unknown; message?: unknown } }).error?.code;
  const good = (name: string): Good => GOOD[name] ?? {};

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
  const NAMED = NAMES.filter((name) => operation(name).pathParameters.length > 0 && !name.startsWith("put /api/quality-rules"));

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

  it.each(Object.keys(GOOD))("%s answers a good call as it is described", async (name) => {
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
});

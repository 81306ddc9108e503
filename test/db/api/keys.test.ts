import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";
import { createKeyStore, type KeyStore } from "../../../collector/commands/keys.ts";
import { createProject } from "../../../collector/commands/projects.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";

const HOUR_MS = 3_600_000;

describeEachServer("keys and projects", (server) => {
  let rig: ApiRig;
  let keys: KeyStore;
  let clock = 0;
  beforeAll(async () => {
    rig = await createApiRig(server, createAuthenticator({ loadKeys: () => keys.load(), loopbackOnly: true, monotonicNow: () => clock }));
    keys = createKeyStore({ sql: rig.owner, schema: "public" });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  /** The authenticator reads the table again. */
  const later = (): void => {
    clock += 10_000;
  };
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const ask = (path: string, key: string) => {
    later();
    return rig.get<{ data: { id: string; name: string; expires_at: string | null }[] }>(path, as(key));
  };
  const send = (path: string, body: unknown, key: string, method = "POST") => {
    later();
    return rig.send<{ id: string; key: string }>(path, body, { method, headers: as(key) });
  };

  it("are made without a key only while there is none: by then the collector is open to its own machine", async () => {
    const { status, body } = await rig.send<{ id: string; key: string }>("/api/keys", { name: "first", scopes: ["admin"] });
    expect(status).toBe(201);
    expect(body.key).toMatch(/^gs_/);
    later();
    expect((await rig.send("/api/keys", { name: "second", scopes: ["admin"] })).status).toBe(401);
    expect((await ask("/api/keys", body.key)).status).toBe(200);
  });

  it("AUT-09 no key makes, widens or renews a key, whatever its scopes", async () => {
    const { id, key } = await keys.create({ name: "all", scopes: ["ingest", "read", "admin"], projectId: 1 });
    expect((await send("/api/keys", { name: "more", scopes: ["read"] }, key)).status).toBe(403);
    expect((await send(`/api/keys/${id}/rotate`, {}, key)).status).toBe(403);
    expect((await send(`/api/keys/${id}`, { scopes: ["admin"] }, key, "PATCH")).status).toBe(405);
    expect((await rig.owner`SELECT FROM api_keys WHERE name = 'more'`).length).toBe(0);
  });

  it("AUT-08 a key ends when it said it would, and none is made that has ended", async () => {
    const { key } = await keys.create({ name: "short", scopes: ["admin"], projectId: 1, expiresAt: new Date(Date.now() - 1) });
    const { status, body } = await ask("/api/keys", key);
    expect([status, JSON.stringify(body)]).toEqual([401, expect.stringContaining("expired")]);
    const open = await createApiRig(server);
    try {
      const past = await open.send("/api/keys", { name: "past", scopes: ["read"], expires_at: "2020-01-01T00:00:00Z" });
      expect(past.status).toBe(400);
      expect(await open.owner`SELECT FROM api_keys`).toHaveLength(0);
    } finally {
      await open[Symbol.asyncDispose]();
    }
  });

  it("AUT-03 a key does what its scopes say and nothing else", async () => {
    const ingest = await keys.create({ name: "in", scopes: ["ingest"], projectId: 1 });
    const read = await keys.create({ name: "out", scopes: ["read"], projectId: 1 });
    expect((await ask("/api/generations", read.key)).status).toBe(200);
    expect((await ask("/api/keys", read.key)).status).toBe(403);
    expect((await ask("/api/generations", ingest.key)).status).toBe(403);
    expect((await send("/api/erase", { kind: "user", value: "x" }, read.key)).status).toBe(403);
    expect((await send("/api/import", "", ingest.key)).status).toBe(403);
  });

  it("AUT-05 only hashes of keys are kept, in no place the key itself", async () => {
    const { key } = await keys.create({ name: "hashed", scopes: ["read"], projectId: 1 });
    const rows = await rig.owner`SELECT k::text AS row FROM api_keys k UNION ALL SELECT a::text FROM audit_log a`;
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.map((row) => String(row["row"])).join("\n")).not.toContain(key.slice(12));
  });

  it("are rotated: the old key goes on for its time of grace, then only the new one works", async () => {
    const old = await keys.create({ name: "turning", scopes: ["read"], projectId: 1, maxRequestsPerSecond: 7 });
    const made = await keys.rotate(old.id, { graceMillis: HOUR_MS });
    expect((await ask("/api/projects", old.key)).status).toBe(200);
    expect((await ask("/api/projects", made?.key ?? "")).status).toBe(200);
    const rows = await rig.owner`SELECT scopes, max_requests_per_second FROM api_keys WHERE name = 'turning' ORDER BY created_at`;
    expect(rows[1]).toEqual(rows[0]);
    await rig.owner`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = ${old.id}`;
    expect((await ask("/api/projects", old.key)).status).toBe(401);
    expect(await keys.rotate(old.id, { graceMillis: 0 })).toBeUndefined();
    const last = await keys.rotate(made?.id ?? "", { graceMillis: 0 });
    expect((await ask("/api/projects", made?.key ?? "")).status).toBe(401);
    expect((await ask("/api/projects", last?.key ?? "")).status).toBe(200);
  });

  it("that were to end are rotated into ones with the end that is given, or none", async () => {
    const [soon, later] = [new Date(Date.now() + HOUR_MS), new Date(Date.now() + 9 * HOUR_MS)];
    const { id } = await keys.create({ name: "limited", scopes: ["read"], projectId: 1, expiresAt: soon });
    const ends = async () => (await keys.list(1)).filter(({ name }) => name === "limited").map(({ expires_at }) => expires_at);
    const next = await keys.rotate(id, { graceMillis: 2 * HOUR_MS, expiresAt: later });
    expect(await ends()).toEqual([soon, later]);
    await keys.rotate(next?.id ?? "", { graceMillis: 10 * HOUR_MS });
    expect(await ends()).toEqual([soon, later, null]);
  });

  describe("that end", () => {
    /** What a stream has told until `end` has happened and it ended by itself. */
    const untilItEnds = async (path: string, key: string, end: () => Promise<unknown>): Promise<string> => {
      later();
      const response = await rig.app.request(`http://localhost${path}`, { headers: as(key) });
      expect(response.status).toBe(200);
      const reader = response.body!.getReader();
      let text = Buffer.from((await reader.read()).value ?? []).toString();
      await end();
      later();
      rig.services.live.hint(1);
      for (;;) {
        const step = await reader.read();
        if (step.done) return text;
        text += Buffer.from(step.value).toString();
      }
    };

    it("end the streams that were opened with them, whether revoked or expired", async () => {
      const revoked = await keys.create({ name: "watching", scopes: ["read"], projectId: 1 });
      expect(await untilItEnds("/api/stream", revoked.key, () => keys.revoke(revoked.id))).toContain("event: ready");
      const turned = await keys.create({ name: "watching", scopes: ["read"], projectId: 1 });
      expect(await untilItEnds("/api/stream", turned.key, () => keys.rotate(turned.id, { graceMillis: 0 }))).toContain("event: ready");
    });

    it("leave the streams of other keys open", async () => {
      const [staying, going] = await Promise.all(["stays", "goes"].map((name) => keys.create({ name, scopes: ["read"], projectId: 1 })));
      later();
      const response = await rig.app.request("http://localhost/api/stream", { headers: as(staying!.key) });
      const reader = response.body!.getReader();
      await reader.read();
      await untilItEnds("/api/stream", going!.key, () => keys.revoke(going!.id));
      await rig.owner`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at)
        VALUES (1, ${"ab".repeat(16)}, ${"cd".repeat(8)}, now(), 'x', 'success', now(), now(), now())`;
      rig.services.live.hint(1);
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toContain("event: generation");
      await reader.cancel();
    });

    it("break off the exports that were begun with them", async () => {
      const { id, key } = await keys.create({ name: "downloading", scopes: ["read"], projectId: 1 });
      await rig.owner`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, created_at, updated_at)
        SELECT 1, gen_random_uuid(), 'r' || i, now(), 'success', now(), now() FROM generate_series(1, 1200) AS i`;
      await expect(untilItEnds("/api/export/runs", key, () => keys.revoke(id))).rejects.toThrow("has ended");
    });
  });

  it("PRV-03 are noted when they are made, turned and ended", async () => {
    const { id } = await keys.create({ name: "noted", scopes: ["read"], projectId: 1 });
    await keys.rotate(id, { graceMillis: HOUR_MS });
    await keys.revoke(id);
    const rows = await rig.owner`SELECT action, actor FROM audit_log WHERE subject = ${id} ORDER BY time`;
    expect([...rows]).toEqual(["key.create", "key.rotate", "key.revoke"].map((action) => ({ action, actor: "cli" })));
  });

  it("are seen and ended by admins of their own project alone", async () => {
    const other = await createProject({ sql: rig.owner, schema: "public" }, { name: "other", actor: "cli" });
    const mine = await keys.create({ name: "mine", scopes: ["admin"], projectId: 1 });
    const theirs = await keys.create({ name: "theirs", scopes: ["admin"], projectId: other.id });
    const seen = (await ask("/api/keys", theirs.key)).body.data;
    expect(seen.map(({ name }) => name)).toEqual(["theirs"]);
    expect((await send(`/api/keys/${mine.id}`, undefined, theirs.key, "DELETE")).status).toBe(404);
    expect((await ask("/api/keys", mine.key)).status).toBe(200);
    expect((await ask("/api/projects", theirs.key)).body.data).toMatchObject([{ name: "other" }]);
    expect((await send(`/api/keys/${theirs.id}`, undefined, theirs.key, "DELETE")).status).toBe(200);
    expect((await ask("/api/keys", theirs.key)).status).toBe(401);
  });

  it("a project has a name of its own, also where two are made at once", async () => {
    const make = (name: string) => createProject({ sql: rig.owner, schema: "public" }, { name, actor: "cli" });
    const made = await Promise.allSettled(["same", "same", "else"].map(make));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    const ids = await rig.owner`SELECT id FROM projects`;
    expect(new Set(ids.map((row) => row["id"])).size).toBe(ids.length);
  });

  describe.each(["no-uuid", "00000000-0000-0000-0000-000000000000"])("an id that is none (%s)", (id) => {
    it("ends nothing", async () => {
      expect(await keys.revoke(id)).toBe(false);
      expect(await keys.rotate(id, { graceMillis: 0 })).toBeUndefined();
    });
  });
});

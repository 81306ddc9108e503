import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Scope } from "../../../collector/base/api-key.ts";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";
import { PROJECT_TABLES } from "../../../collector/commands/delete-project.ts";
import { sweepErasures } from "../../../collector/commands/erase/index.ts";
import { createKeyStore, type KeyStore } from "../../../collector/commands/keys.ts";
import { createProject, listProjects } from "../../../collector/commands/projects.ts";
import type { Writer } from "../../../collector/commands/writer.ts";
import { ensureSqlLogin } from "../../../schema/sql-login.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { CANARY, fillProject, rowsOfProject } from "../../support/full-project.ts";
import { tracesOf } from "../../support/otlp-json.ts";

/** Tell of a deleted project. */
const KEPT = ["api_keys", "archive_folders", "audit_log"];
const IDS = { uuid: randomUUID(), sha256: Buffer.alloc(32, 9) };

const call = (id: string): Buffer =>
  Buffer.from(JSON.stringify(tracesOf({ id, attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", late: CANARY } })));

describeEachServer("a project that is deleted", (server) => {
  let rig: ApiRig;
  let writer: Writer;
  let keys: KeyStore;
  /** Moves the clock on by which keys are read again. */
  let seconds = 0;
  beforeAll(async () => {
    rig = await createApiRig(
      server,
      createAuthenticator({ loadKeys: () => keys.load(), loopbackOnly: true, monotonicNow: () => seconds * 1_000 }),
    );
    writer = { sql: rig.owner, schema: "public" };
    keys = createKeyStore(writer);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const bearer = async (projectId: number, scopes: readonly Scope[] = ["ingest", "read", "admin"]) => {
    const { key } = await keys.create({ name: CANARY, scopes, projectId });
    seconds += 3;
    return { authorization: `Bearer ${key}` };
  };
  const remove = async (path: string, headers: Record<string, string>) => {
    const response = await rig.app.request(`http://localhost${path}`, { method: "DELETE", headers });
    return { status: response.status, body: (await response.json()) as { deleted: Record<string, number>; error: { message: string } } };
  };

  it("TEN-08 leaves no row, also of spans that arrive meanwhile, and its keys open nothing any more", async () => {
    const mine = await bearer(1);
    const { id } = await createProject(writer, { name: CANARY, actor: "cli" });
    const theirs = await bearer(id);
    const tables = await fillProject(rig.owner, id, IDS);
    expect(tables.filter((table) => !KEPT.includes(table)).toSorted()).toEqual([...PROJECT_TABLES].toSorted());
    await fillProject(rig.owner, 1, IDS);
    // It would rightly take the neighbour's own rows.
    for (const table of ["tombstones", "released_origins"]) await rig.owner`DELETE FROM ${rig.owner(table)} WHERE project_id = 1`;
    const neighbours = await rowsOfProject(rig.owner, 1, KEPT);

    // Collectors that have not heard of it go on writing.
    let deleted = false;
    let sent = 0;
    const sender = async (name: string): Promise<void> => {
      while (!deleted) {
        const outcome = await rig.services.ingest(id, "traces", call(`${name}-${sent++}`));
        expect(outcome.kind).toBe("accepted");
      }
    };
    const senders = Promise.all([sender("a"), sender("b")]);
    await expect.poll(() => sent).toBeGreaterThan(2);
    const { status, body } = await remove(`/api/projects/${id}?confirm=${CANARY}`, theirs);
    deleted = true;
    await senders;
    expect([status, Object.keys(body.deleted).length]).toEqual([200, PROJECT_TABLES.length]);
    await rig.services.ingest(id, "traces", call("very late"));
    expect((await rowsOfProject(rig.owner, id, KEPT)).length).toBeGreaterThan(0);
    await sweepErasures({ ...writer, withinMillis: 60_000 });
    expect(await rowsOfProject(rig.owner, id, KEPT)).toEqual([]);
    expect(await sweepErasures({ ...writer, withinMillis: 60_000 })).toBe(0);

    seconds += 3;
    for (const [path, init] of [
      ["/api/generations", {}],
      ["/api/projects", {}],
      ["/api/import", { method: "POST", body: call("by key") }],
      [`/api/projects/${id}?confirm=${CANARY}`, { method: "DELETE" }],
    ] as const) {
      const response = await rig.app.request(`http://localhost${path}`, { ...init, headers: theirs });
      expect([path, response.status, await response.json()]).toEqual([
        path,
        403,
        { error: { code: "forbidden", message: "the project of this key was deleted" } },
      ]);
    }
    expect(await rowsOfProject(rig.owner, id, KEPT)).toEqual([]);
    expect(await rowsOfProject(rig.owner, 1, KEPT)).toEqual(neighbours);
    expect((await rig.get("/api/generations", mine)).status).toBe(200);
    const named = await rig.owner`
      SELECT name AS told FROM projects WHERE id = ${id} UNION ALL SELECT name FROM api_keys WHERE project_id = ${id}
      UNION ALL SELECT subject || details::text FROM audit_log WHERE project_id = ${id}`;
    expect(JSON.stringify(named)).not.toContain(CANARY);
    const entries = await rig.owner`SELECT action, details FROM audit_log WHERE project_id = ${id} ORDER BY time DESC LIMIT 1`;
    expect([...entries]).toEqual([{ action: "project.delete", details: { deleted: body.deleted } }]);
  });

  it("frees its name, and never its number: what still comes in under it is nobody's", async () => {
    const name = "once and again";
    const first = await createProject(writer, { name, actor: "cli" });
    expect((await remove(`/api/projects/${first.id}?confirm=${encodeURIComponent(name)}`, await bearer(first.id))).status).toBe(200);
    const second = await createProject(writer, { name, actor: "cli" });
    expect(second.id).toBe(first.id + 1);
    expect((await listProjects(writer)).map(({ id }) => id)).toEqual([1, second.id]);
    expect((await keys.list()).filter(({ project_id }) => project_id === first.id)).toEqual([]);
    await expect(keys.create({ name: "late", scopes: ["read"], projectId: first.id })).rejects.toThrow("there is no project");
    await expect(
      ensureSqlLogin({ url: rig.database.url, login: "genspan_late_login", password: "p", projectId: first.id }),
    ).rejects.toThrow("there is no project");
  });

  it("ends the streams of those who watch it", async () => {
    const { id } = await createProject(writer, { name: "watched", actor: "cli" });
    const theirs = await bearer(id);
    const response = await rig.app.request("http://localhost/api/stream", { headers: theirs });
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toContain("event: ready");
    expect((await remove(`/api/projects/${id}?confirm=watched`, theirs)).status).toBe(200);
    seconds += 3;
    rig.services.live.hint(id);
    expect(await reader.read()).toMatchObject({ done: true });
  });

  it("takes its logins for SQL along, and with them what they could see", async () => {
    const { id } = await createProject(writer, { name: "with a login", actor: "cli" });
    const login = `genspan_end_${process.pid}_${server.kind}`;
    await ensureSqlLogin({ url: rig.database.url, login, password: "p-4711", projectId: id });
    const url = new URL(rig.database.url);
    url.username = login;
    url.password = "p-4711";
    const open = postgres(url.href, { max: 1, onnotice: () => {} });
    try {
      expect(await open`SELECT FROM spans`).toHaveLength(0);
      await open`SET default_transaction_read_only = off`;
      await open`SELECT lo_create(0)`;
      const { body } = await remove(`/api/projects/${id}?confirm=with%20a%20login`, await bearer(id));
      expect(body.deleted).toMatchObject({ logins: 1 });
      await expect(open`SELECT set_config('genspan.project', '1', false)`).rejects.toThrow();
      const again = postgres(url.href, { max: 1, onnotice: () => {} });
      await expect(again`SELECT 1`).rejects.toThrow();
      await again.end();
    } finally {
      await open.end();
    }
  });

  it("is the key's own, named by its name; project 1 stays", async () => {
    const { id } = await createProject(writer, { name: "a project", actor: "cli" });
    const theirs = await bearer(id);
    const refusals = [
      [`/api/projects/${id}`, theirs, 400],
      [`/api/projects/${id}?confirm=another`, theirs, 400],
      [`/api/projects/${id}?confirm=a%20project`, await bearer(1), 404],
      [`/api/projects/1?confirm=default`, theirs, 404],
      [`/api/projects/0${id}?confirm=a%20project`, theirs, 404],
      [`/api/projects/${id}?confirm=a%20project`, await bearer(id, ["read", "ingest"]), 403],
      ["/api/projects/1?confirm=default", await bearer(1), 409],
    ] as const;
    for (const [path, headers, status] of refusals) expect([path, (await remove(path, headers)).status]).toEqual([path, status]);
    expect((await listProjects(writer, id)).length).toBe(1);
  });
});

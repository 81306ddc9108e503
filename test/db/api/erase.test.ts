import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../../collector/base/log.ts";
import { sweepErasures } from "../../../collector/commands/erase/index.ts";
import { createTombstones } from "../../../collector/jobs/tombstones.ts";
import { createUsageRollup } from "../../../collector/jobs/usage-rollup.ts";
import { createWordSignatures } from "../../../collector/jobs/word-signatures/index.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { logsOf, type SpanSpec, spanIdOf, TRACE, tracesOf } from "../../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../../support/pipeline-rig.ts";
import { recordingLog } from "../../support/recording-log.ts";

const CANARY = "canary-7f3a9c";
const OTHER = "somebody-else";
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

/** The same spans in a trace of another id. */
const inTrace = (body: object, trace: string): object => JSON.parse(JSON.stringify(body).replaceAll(TRACE, trace)) as object;
const traceOf = (name: string): string => createHash("md5").update(name).digest("hex");

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai" };
const messages = (text: string, media = false): string =>
  JSON.stringify([
    {
      role: "user",
      parts: [
        { type: "text", content: text },
        ...(media ? [{ type: "blob", modality: "image", mime_type: "image/png", content: PNG }] : []),
      ],
    },
  ]);

interface Erased {
  readonly id: string | null;
  readonly traces: number;
  readonly spans: number;
  readonly deleted: Record<string, number>;
}

describeEachServer("erasing a person or a record", (server) => {
  let rig: ApiRig;
  let pipeline: PipelineRig;
  let tombstones: Awaited<ReturnType<typeof createTombstones>> | undefined;
  beforeAll(async () => {
    rig = await createApiRig(server);
    pipeline = createPipelineRig(rig.database.url, { erased: (projectId) => tombstones?.of(projectId) });
  });
  afterAll(async () => {
    tombstones?.stop();
    await pipeline.stop();
    await rig[Symbol.asyncDispose]();
  });

  const send = async (trace: string, ...spans: readonly SpanSpec[]): Promise<void> => {
    await pipeline.send(inTrace(tracesOf(...spans), traceOf(trace)));
    await pipeline.refiner.settled();
  };
  const erase = async (kind: string, value: string, more: object = {}): Promise<Erased> => {
    const { status, body } = await rig.send<Erased>("/api/erase", { kind, value, ...more });
    expect(status).toBe(200);
    return body;
  };
  const traces = async (): Promise<string[]> =>
    (await rig.owner`SELECT DISTINCT trace_id FROM spans`).map((row) => String(row["trace_id"]));

  /** Tables in which any value of any row holds the text, as bytes or in letters. */
  async function tablesWith(text: string): Promise<string[]> {
    const tables = await rig.owner<{ name: string }[]>`
      SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm')`;
    const hex = Buffer.from(text, "utf8").toString("hex");
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await rig.owner.unsafe(
        `SELECT 1 FROM ${name} t WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || $2 || '%' LIMIT 1`,
        [text, hex],
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  }

  it("PRV-01 leaves nothing of a user in any table, and everything of others", async () => {
    await send(
      "mine",
      { id: "root", kind: 2, attributes: { "enduser.id": CANARY, "http.route": "/ask" } },
      { id: "tool", parent: "root", attributes: { "input.value": `the question of ${CANARY}` } },
      {
        id: "call",
        parent: "root",
        attributes: {
          ...chat,
          "user.id": CANARY,
          "gen_ai.prompt.name": `prompt of ${CANARY}`,
          "genspan.item.id": "item-1",
          "gen_ai.input.messages": messages(`I am ${CANARY}`, true),
        },
      },
    );
    await pipeline.send(inTrace(logsOf({ span: "call", name: "gen_ai.user.message", body: { content: CANARY } }), traceOf("mine")), "logs");
    await send("theirs", { id: "call", attributes: { ...chat, "user.id": OTHER, "gen_ai.input.messages": messages("hello") } });
    await send(
      "both",
      { id: "root" },
      { id: "mine", parent: "root", attributes: { ...chat, "user.id": CANARY, "gen_ai.input.messages": messages(CANARY) } },
      { id: "below", parent: "mine", attributes: { note: `said ${CANARY}` } },
      { id: "theirs", parent: "root", attributes: { ...chat, "user.id": OTHER } },
    );
    await rig.owner`INSERT INTO generation_items (project_id, id, item_id, created_at, updated_at, generation_trace)
      VALUES (1, gen_random_uuid(), 'item-1', now(), now(), ${rig.owner.json({ sentences: [{ prompt_text: CANARY }] })}) ON CONFLICT DO NOTHING`;
    await rig.owner`INSERT INTO ingest_rejected (project_id, id, signal, reason, raw, received_at)
      VALUES (1, gen_random_uuid(), 'traces', 'x', ${Buffer.from(`\u0001${CANARY}\u0002`)}, now())`;
    await rig.owner`INSERT INTO audit_log (project_id, id, time, actor, action, subject, details)
      VALUES (1, gen_random_uuid(), now(), 'local', 'generation.link', ${`user:${CANARY}`}, ${rig.owner.json({ to: CANARY })})`;
    const job = { sql: rig.owner, schema: "public", holder: "test", log: recordingLog().log, settleMillis: 0 };
    await createUsageRollup({ ...job, now: () => Date.now() + 2 * 86_400_000 }).runOnce();
    await createWordSignatures({ ...job, rest: 0 }).runOnce();
    const found = await tablesWith(CANARY);
    expect(found.length).toBeGreaterThan(4);
    expect(found).toEqual(expect.arrayContaining(["usage_hours", "usage_days"]));
    const signatures = async () => (await rig.owner`SELECT count(*)::int AS n FROM word_signatures`)[0]?.["n"];
    expect(await signatures()).toBeGreaterThan(0);

    const preview = await erase("user", CANARY, { dry_run: true });
    expect(preview).toMatchObject({ id: null, traces: 1, deleted: {} });
    const erased = await erase("user", CANARY);
    expect(erased).toMatchObject({ traces: preview.traces, spans: preview.spans });
    expect(erased.deleted).toMatchObject({
      spans: 5,
      generation_logs: 2,
      log_records: 1,
      blobs: 1,
      generation_items: 1,
      ingest_rejected: 1,
    });

    // At once, though no job makes sums and signatures anew.
    expect(await tablesWith(CANARY)).toEqual([]);
    expect(await signatures()).toBe(0);
    expect(await tablesWith(createHash("sha256").update(Buffer.from(PNG, "base64")).digest("hex"))).toEqual([]);
    expect((await traces()).sort()).toEqual([traceOf("theirs"), traceOf("both")].sort());
    expect(await tablesWith(OTHER)).not.toEqual([]);
  });

  it.each(["user.id", "enduser.id"])("PRV-01 PRV-02 finds whom only an event of a span names, by %s", async (name) => {
    const witness = `seen in ${name}`;
    const event = (attributes: Record<string, string>) => [{ name: "login", attributes }];
    await send(
      `events ${name}`,
      { id: "root", events: event({ step: "1" }) },
      { id: "part", parent: "root", events: event({ [name]: witness }) },
    );
    await send(
      `shared events ${name}`,
      { id: "theirs", attributes: { ...chat, "user.id": OTHER } },
      { id: "part", parent: "theirs", events: event({ [name]: witness }) },
    );
    await send(`unnamed ${name}`, { id: "part", events: event({ note: witness }) });
    const text = await (await rig.app.request(`http://localhost/api/subject?user=${encodeURIComponent(witness)}`)).text();
    const told = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { table: string; row: { trace_id?: string; name?: string } });
    const spans = told.filter(({ table }) => table === "spans").map(({ row }) => `${row.trace_id} ${row.name}`);
    const mine = traceOf(`events ${name}`);
    expect(spans.toSorted()).toEqual([`${mine} part`, `${mine} root`, `${traceOf(`shared events ${name}`)} part`].toSorted());
    expect(await erase("user", witness)).toMatchObject({ traces: 1, spans: 1, deleted: { spans: 3 } });
    expect(await traces()).toEqual(expect.arrayContaining([traceOf(`shared events ${name}`), traceOf(`unnamed ${name}`)]));
    expect(await traces()).not.toContain(mine);
  });

  describe("rules that name somebody", () => {
    const WATCHED = "watched_person_51";
    const rules = async () => {
      const { body } = await rig.get<{ data: { name: string; condition: { filter: string } }[] }>("/api/alerts");
      return body.data.map(({ name, condition }) => `${name}: ${condition.filter}`);
    };
    const alert = async (name: string, filter: string): Promise<void> => {
      const condition = { metric: "failures", filter, compare: "above", threshold: 1, window_seconds: 3600 };
      const { status } = await rig.send("/api/alerts", { name, condition, channels: [{ type: "log" }] });
      expect(status).toBe(201);
    };
    const quality = async (name: string, pattern: string): Promise<void> => {
      expect((await rig.send(`/api/quality-rules/${name}`, { target: "output", pattern, marks: false }, { method: "PUT" })).status).toBe(
        200,
      );
    };

    it("PRV-01 PRV-02 PRV-03 go where they watch nobody else, and are told and counted; none comes to watch everybody", async () => {
      await alert("one", `user=${WATCHED}&model=m`);
      await alert("attribute", `attr.enduser.id=${WATCHED}`);
      await alert("two", `user=${WATCHED}&user=bob`);
      await alert(`beside ${WATCHED}`, `-user=${WATCHED}&model=m`);
      await alert("other", "user=bob");
      await quality("greets", `(?i)hello ${WATCHED}\\b`);
      await quality(`of_${WATCHED}`, "hello");
      await quality("rude", "idiot");
      await rig.owner`INSERT INTO alert_events (project_id, id, rule_id, started_at) SELECT project_id, gen_random_uuid(), id, now() FROM alert_rules WHERE name = 'one'`;
      const text = await (await rig.app.request(`http://localhost/api/subject?user=${WATCHED}`)).text();
      const told = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { table: string; row: { name: string } });
      expect(told.map(({ table, row }) => `${table} ${row.name}`).toSorted()).toEqual([
        `alert_rules attribute`,
        `alert_rules beside ${WATCHED}`,
        "alert_rules one",
        "alert_rules two",
        "quality_rules greets",
        `quality_rules of_${WATCHED}`,
      ]);

      const erased = await erase("user", WATCHED);
      expect(erased).toMatchObject({
        deleted: { alert_rules: 2, alert_channels: 2, alert_events: 1, quality_rules: 2 },
        changed: { alert_rules: 2 },
      });
      expect((await rules()).map((rule) => rule.replace(/^erased .{36}:/, "erased:")).toSorted()).toEqual([
        "erased: model=m",
        "other: user=bob",
        "two: user=bob",
      ]);
      expect(await rig.owner`SELECT name FROM quality_rules`).toEqual([{ name: "rude" }]);
      const [entry] = await rig.owner`SELECT details FROM audit_log WHERE action = 'erase' AND details ->> 'id' = ${erased.id}`;
      expect(entry?.["details"]).toMatchObject({ deleted: { alert_rules: 2, quality_rules: 2 }, changed: { alert_rules: 2 } });
      expect(await tablesWith(WATCHED)).toEqual([]);
    });

    it("stay as they are in another project", async () => {
      await rig.owner`INSERT INTO quality_rules (project_id, name, target, pattern, marks, created_at, updated_at) VALUES (2, 'theirs', 'output', ${WATCHED}, false, now(), now())`;
      await erase("user", WATCHED);
      expect(await rig.owner`SELECT name FROM quality_rules WHERE project_id = 2`).toEqual([{ name: "theirs" }]);
    });
  });

  it("PRV-01 finds whom only a link of a span names", async () => {
    const body = inTrace(tracesOf({ id: "linked" }), traceOf("linked")) as {
      resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[];
    };
    for (const span of body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
      span["links"] = [
        { traceId: TRACE, spanId: spanIdOf("other"), attributes: [{ key: "enduser.id", value: { stringValue: "linked person" } }] },
      ];
    await pipeline.send(body);
    expect(await erase("user", "linked person")).toMatchObject({ traces: 1, deleted: { spans: 1 } });
    expect(await traces()).not.toContain(traceOf("linked"));
  });

  it("PRV-01 does not store a late retry of what was erased, and counts it as a duplicate", async () => {
    const late = { id: "call", attributes: { ...chat, "user.id": "late", "gen_ai.input.messages": messages("late") } };
    await send("late", late);
    await erase("user", "late");
    tombstones ??= await createTombstones({ sql: rig.owner, schema: "public", log: createLog("silent") });
    await tombstones.refresh();
    await send("late", late);
    expect(await traces()).not.toContain(traceOf("late"));
    await send("late new", { ...late, attributes: { ...chat, "user.id": "late" } });
    expect(await traces()).toContain(traceOf("late new"));
  });

  it("PRV-01 does not come back by a file that was exported before, nor by the application's own logs", async () => {
    const call: SpanSpec = { id: "call", attributes: { ...chat, "user.id": "in a file", "gen_ai.input.messages": messages("in a file") } };
    await send("in a file", call);
    const download = (path: string, init?: RequestInit) => rig.app.request(`http://localhost:4319${path}`, init);
    const upload = async (body: string) =>
      (await (await download("/api/import", { method: "POST", body })).json()) as { stored: object; known: number; refused: number };
    const image = {
      id: randomUUID(),
      lesson_id: "in a file",
      image_generation_attempts: [],
      created_at: "2026-11-01T10:00:00Z",
      status: "failed",
    };
    const log = { id: 1, user_id: "in a file", prompt_full_text: "in a file", logged_at: "2026-11-01T10:00:00Z" };
    const own = `${JSON.stringify(image)}\n${JSON.stringify(log)}`;
    expect(await upload(own)).toMatchObject({ stored: { images: 1, generations: 1 } });
    const exported = await (await download("/api/export/generations?user=in%20a%20file&format=jsonl")).text();
    expect(exported.trimEnd().split("\n")).toHaveLength(2);
    await erase("user", "in a file");
    await erase("entity", "lesson:in a file");
    expect(await tablesWith("in a file")).toEqual([]);
    expect(await upload(`${exported}${own}`)).toMatchObject({ stored: { images: 0, generations: 0 }, known: 4, refused: 0 });
    expect(await tablesWith("in a file")).toEqual([]);
  });

  it("PRV-01 takes away what a collector stored before it had heard of the erasure", async () => {
    const call = { id: "call", attributes: { ...chat, "user.id": "race", "gen_ai.input.messages": messages("race") } };
    await send("race", call);
    await erase("user", "race");
    const deaf = createPipelineRig(rig.database.url);
    try {
      await deaf.send(inTrace(tracesOf(call), traceOf("race")));
      expect(await traces()).toContain(traceOf("race"));
      expect(await sweepErasures({ sql: rig.owner, schema: "public", withinMillis: 60_000 })).toBe(2);
      expect(await traces()).not.toContain(traceOf("race"));
    } finally {
      await deaf.stop();
    }
  });

  it("erases one record of the application out of a batch, with its images", async () => {
    const of = (id: string, entity: string): SpanSpec => ({
      id,
      parent: "run",
      attributes: {
        ...chat,
        "genspan.entity.type": "definitie",
        "genspan.entity.id": entity,
        "gen_ai.input.messages": messages(`entity ${entity}`),
      },
    });
    await send("batch", { id: "run" }, of("one", "41"), of("two", "42"));
    await rig.owner`INSERT INTO image_traces (project_id, id, status, created_at, received_at, entity_type, entity_id)
      VALUES (1, gen_random_uuid(), 'completed', now(), now(), 'definitie', '41'), (1, gen_random_uuid(), 'completed', now(), now(), 'definitie', '42')`;
    expect(await erase("entity", "definitie:41")).toMatchObject({
      traces: 0,
      spans: 1,
      deleted: { spans: 1, generation_logs: 1, image_traces: 1 },
    });
    const left =
      await rig.owner`SELECT entity_id FROM generation_logs WHERE entity_id IS NOT NULL UNION ALL SELECT entity_id FROM image_traces`;
    expect(left.map((row) => row["entity_id"])).toEqual(["42", "42"]);
  });

  it("erases calls that name a deleted record and come only afterwards", async () => {
    await erase("entity", "definitie:77");
    const entity = { "genspan.entity.type": "definitie", "genspan.entity.id": "77" };
    await send(
      "after deletion",
      { id: "call", attributes: { ...chat, ...entity } },
      { id: "other", attributes: { ...chat, "genspan.entity.type": "definitie", "genspan.entity.id": "78" } },
    );
    await sweepErasures({ sql: rig.owner, schema: "public", withinMillis: 600_000 });
    const left = await rig.owner`SELECT entity_id FROM generation_logs WHERE trace_id = ${traceOf("after deletion")}`;
    expect([...left]).toEqual([{ entity_id: "78" }]);
  });

  it("PRV-03 notes an erasure with its counts and not of whom, in a log that cannot be changed", async () => {
    await send("noted", { id: "call", attributes: { ...chat, "user.id": "noted-person" } });
    const { id } = await erase("user", "noted-person");
    const entries = await rig.owner`SELECT actor, subject, details FROM audit_log WHERE action = 'erase' AND details ->> 'id' = ${id}`;
    expect([...entries]).toMatchObject([
      { actor: "local", subject: "user", details: { traces: 1, deleted: { spans: 1, generation_logs: 1 } } },
    ]);
    expect(JSON.stringify(entries)).not.toContain("noted-person");
    await expect(rig.owner`UPDATE audit_log SET actor = 'nobody'`).rejects.toThrow(/kept as they are/);
    await expect(rig.owner`DELETE FROM audit_log`).rejects.toThrow(/kept as they are/);
  });

  it("PRV-02 tells everything about a subject, a line per row, and nothing of another project", async () => {
    await send("told", { id: "call", attributes: { ...chat, "user.id": "told", "gen_ai.input.messages": messages("my words") } });
    const response = await rig.app.request("http://localhost/api/subject?user=told");
    const lines = (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { table: string; row: Record<string, unknown> });
    expect(lines.map(({ table }) => table).sort()).toEqual(["generation_logs", "resources", "scopes", "spans"]);
    expect(lines.find(({ table }) => table === "generation_logs")?.row["prompt_full_text"]).toContain("my words");
    await rig.owner`UPDATE generation_logs SET project_id = 2 WHERE user_id = 'told'`;
    await rig.owner`UPDATE spans SET project_id = 2 WHERE trace_id = ${traceOf("told")}`;
    expect(await (await rig.app.request("http://localhost/api/subject?user=told")).text()).toBe("");
    expect(await erase("user", "told")).toMatchObject({ traces: 0, spans: 0, deleted: {} });
    expect(await rig.owner`SELECT FROM generation_logs WHERE user_id = 'told'`).toHaveLength(1);
  });

  it("PRV-02 tells of what belongs to no call, too: log records that name a user, and each resource once", async () => {
    const logs = JSON.parse(JSON.stringify(logsOf({ span: "x", name: "login", body: "b", attributes: { "enduser.id": "talker" } }))) as {
      resourceLogs: { scopeLogs: { logRecords: { traceId?: string; spanId?: string }[] }[] }[];
    };
    for (const record of logs.resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))) {
      delete record.traceId;
      delete record.spanId;
    }
    await pipeline.send(logs, "logs");
    for (const trace of ["talked", "talked again"]) await send(trace, { id: "call", attributes: { ...chat, "user.id": "talker" } });
    const text = await (await rig.app.request("http://localhost/api/subject?user=talker")).text();
    const tables = text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { table: string }).table);
    expect(tables.sort()).toEqual(["generation_logs", "generation_logs", "log_records", "resources", "scopes", "spans", "spans"]);
    await erase("user", "talker");
    expect(await (await rig.app.request("http://localhost/api/subject?user=talker")).text()).toBe("");
  });

  it("PRV-02 tells of refused data that an erasure would take, each once", async () => {
    await send("refused", { id: "call", attributes: { ...chat, "user.id": "refused person" } });
    const raw = (...parts: (string | Buffer)[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
    const trace = Buffer.from(traceOf("refused"), "hex");
    for (const bytes of [raw("\u0001refused person", trace), raw("only ", trace), raw("user refused person"), raw("nobody")])
      await rig.owner`INSERT INTO ingest_rejected (project_id, id, signal, reason, raw, received_at) VALUES (1, gen_random_uuid(), 'traces', 'x', ${bytes}, now())`;
    const text = await (await rig.app.request("http://localhost/api/subject?user=refused%20person")).text();
    const told = text.split("\n").filter((line) => line.startsWith('{"table":"ingest_rejected"'));
    expect([told.length, new Set(told).size]).toEqual([3, 3]);
    expect(await erase("user", "refused person")).toMatchObject({ deleted: { ingest_rejected: 3 } });
  });

  describe("what is no subject", () => {
    it.each([
      ["entity", "no colon"],
      ["trace", "short"],
      ["generation", "no-span"],
      ["user", ""],
      ["planet", "earth"],
    ])("is refused: %s %j", async (kind, value) => {
      expect((await rig.send("/api/erase", { kind, value })).status).toBe(400);
    });

    it.each(["", "?user=a&trace=b", "?user=", "?planet=earth"])("is refused in an address: %j", async (query) => {
      expect((await rig.get(`/api/subject${query}`)).status).toBe(400);
    });
  });

  it("IDS-05 knows a trace and a call by their ids in letters of either case", async () => {
    await send("in capitals", { id: "call", attributes: chat });
    const trace = traceOf("in capitals").toUpperCase();
    const told = await rig.app.request(`http://localhost:4319/api/subject?trace=${trace}`);
    expect([told.status, (await told.text()).includes(traceOf("in capitals"))]).toEqual([200, true]);
    expect(await erase("generation", `${trace}-${spanIdOf("call").toUpperCase()}`)).toMatchObject({
      deleted: { generation_logs: 1, spans: 1 },
    });
  });

  it.each(["outer", "call"])("erases every telling of a call by the id of any of them: %s", async (named) => {
    const trace = `told twice, by ${named}`;
    const said = { ...chat, "gen_ai.input.messages": messages("a word of mine alone") };
    await send(trace, { id: "outer", tookMs: 100, attributes: said }, { id: "call", parent: "outer", at: 5, tookMs: 80, attributes: chat });
    expect(await tablesWith("a word of mine alone")).toEqual(
      expect.arrayContaining(["generation_logs_default", "generation_twins_default"]),
    );
    await erase("generation", `${traceOf(trace)}-${spanIdOf(named)}`);
    expect(await tablesWith("a word of mine alone")).toEqual([]);
  });
});
